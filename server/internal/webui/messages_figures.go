package webui

// figuresMessages are those of the pages of one figure and of the records behind it.
var figuresMessages = map[string]message{
	"as_of":              {"as of %s", "截至 %s"},
	"basis":              {"Basis", "口径"},
	"basis_reported":     {"reported", "已上报"},
	"basis_verified":     {"verified", "已核实"},
	"figure_rule":        {"How it is counted", "统计口径"},
	"divided_by":         {"Divided by", "分组"},
	"place_level":        {"Level of places", "行政级别"},
	"nothing_counts":     {"Nothing counts here yet.", "还没有计入的记录。"},
	"rows_truncated":     {"There are more rows than are shown.", "未列出全部行。"},
	"records_behind":     {"The records behind it", "所含记录"},
	"nothing_behind":     {"No records are behind it.", "没有所含的记录。"},
	"looked_no_further":  {"None so far; there is more to look through.", "暂未找到，还有未查看的记录。"},
	"persons_do_not_add": {"Whoever is in several parts counts once in each, and once in the whole: the parts need not add up to it.", "同一人出现在几个部分时，在每部分各计一次，合计只计一次，因此各部分之和不一定等于合计。"},
	"people_in_several":  {"Somebody may be in several records and counts once: the records may give more than the figure.", "同一人可能出现在多条记录中而只计一次，因此各记录之和可能大于总数。"},
	"not_known_here":     {"not known here", "未知"},

	"by_day":          {"By day", "按日期"},
	"by_place":        {"By place", "按地区"},
	"by_site":         {"By site", "按服务点"},
	"by_team":         {"By team", "按服务队"},
	"by_worker":       {"By worker", "按工作人员"},
	"by_service_area": {"By service area", "按服务领域"},
	"by_sex":          {"By sex", "按性别"},
	"by_age_band":     {"By age", "按年龄"},
	"by_disability":   {"By disability", "按残障"},

	"level_province": {"Province", "省"},
	"level_city":     {"City", "市"},
	"level_county":   {"County", "县"},
	"level_town":     {"Town", "乡镇"},
	"level_village":  {"Village", "村"},

	"column_record": {"Record", "记录"},
	"column_day":    {"Day", "日期"},
	"column_gives":  {"Counts", "计入"},
}
