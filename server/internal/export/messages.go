package export

import "levee/syncproto/words"

var english, chinese = words.In("en"), words.In("zh")

var idLabel = words.Message{EN: "id", ZH: "编号"}

// What the totals are called.
var (
	totalLabels = map[string]words.Message{
		"basis": {EN: "basis", ZH: "口径"}, "figure": {EN: "figure", ZH: "指标"}, "dimension": {EN: "by", ZH: "分类"},
		"key": {EN: "key", ZH: "键"}, "name": {EN: "name", ZH: "名称"}, "value": {EN: "value", ZH: "数值"},
	}
	basisWords     = map[string]words.Message{"reported": {EN: "reported", ZH: "已上报"}, "verified": {EN: "verified", ZH: "已核实"}}
	dimensionWords = map[string]words.Message{
		"whole": {EN: "whole", ZH: "合计"}, "day": {EN: "day", ZH: "日期"}, "site": {EN: "site", ZH: "服务点"}, "place": {EN: "place", ZH: "地点"},
		"team": {EN: "team", ZH: "服务队"}, "worker": {EN: "worker", ZH: "工作人员"}, "service_area": {EN: "service area", ZH: "服务领域"},
		"sex": {EN: "sex", ZH: "性别"}, "age_band": {EN: "age band", ZH: "年龄段"}, "disability": {EN: "disability", ZH: "残障"},
	}
)
