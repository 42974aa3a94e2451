package bench

import (
	"math/rand/v2"
	"strings"
)

// What notes are made of: who, where and when, what was seen, what was done, what comes next. About as many words as a team
// uses, so that notes compress about as well as those that people write.
var (
	noteWho = strings.Fields(`张大爷 李奶奶 王婶 赵家老两口 刘家兄妹 陈姓村民 杨家媳妇 周老师 村医老吴 小组长老徐 孙家三口 马奶奶 朱大伯 胡家孩子 郭婶 林家姐弟 何老汉
 高家婆婆 罗姓夫妇 郑家老人 梁大娘 谢家孙女 宋姓小伙 唐家母女 许会计 邓婆婆 冯家父子 曹大姐 彭爷爷 曾家双胞胎 肖奶奶 田家小儿子 董大叔 潘家老母亲 袁嫂 蔡家留守儿童 蒋师傅
 余家老大 于大妈 杜姓独居老人 叶支书 程家外婆 魏老伯 苏家夫妻 吕姓租户 丁家女婿 任大姐 卢家弟弟 姚奶奶 沈家一户 钟大伯 姜家老人 崔婶子 谭家四口 陆大爷 范家娘俩 汪婆婆 廖家爷孙 石匠老贺`)
	noteWhere = strings.Fields(`在安置点 在村口 在自家院里 在临时板房 在卫生室 在小学操场 在村委会二楼 在河堤边的菜地 在亲戚家借住 在祠堂 在镇上的宾馆 在帐篷里 在东头的老屋 在新修的桥旁 在粮站 在养鸡棚
 在幼儿园门前 在邻居家 在广场舞台下 在卡点 在井台边 在村西果园 在库房 在诊所输液 在理发店 在小卖部门口 在堂屋 在楼顶平台 在拖拉机旁 在玉米地头`)
	noteSeen = strings.Fields(`墙体开裂还没有鉴定 屋里积水刚退 被褥发霉 夜里常惊醒 血压药快吃完了 孩子不肯上学 说起水来那天就掉泪 冰箱和电视都泡坏了 腿脚不便下不了楼 吃饭不香 盼着早点通电 担心补种来不及 和儿子联系不上
 夫妻为修房争吵 胃病复发 手机没信号 作业本全湿了 院墙倒了一半 三轮车冲走了 农药和种子都没了 井水发浑 残疾证丢失 存折找不到 想去看看女儿 不愿给人添麻烦 睡在长凳上 轮椅轮子坏了 膝盖肿 羊死了七只 怕再下雨
 愿意出来走动了 气色比上周好 已经开始清淤 领到了米面油 缺奶粉和尿不湿 电表箱进水 热水器不能用 门锁撬坏 院子里有蛇 皮肤起红疹 低烧两天 听力下降 助听器泡了水 眼镜碎了 学费还没着落 房贷催得紧`)
	noteDone = strings.Fields(`陪着聊了半个多小时 教了放松呼吸 帮忙晾晒衣物 登记了损失 量了血压 联系了镇卫生院 和村干部核对名单 送去两床棉被 一起整理照片 给孩子读绘本 约好下次时间 介绍了补助政策 填写了申请表 拨通了家人电话
 请志愿者搬家具 讲了消毒办法 安排了义诊 转告了学校 留下服务热线 帮着找到了户口本 带去一箱饮用水 示范了手指操 组织邻里互助 劝说先住安置点 拍照留档 修好了水龙头 代买了药 清点了物资 画了家庭图 听她把话说完
 陪同去派出所补证 说明保险理赔流程 协调了挖掘机 送孩子回宿舍 调解了两家的地界 建了微信群 分发口罩和艾条 陪做康复训练`)
	noteNext = strings.Fields(`后续每周回访 需要专业评估 建议转介县医院 请督导关注 下次带上棉衣 等民政答复 继续观察情绪 联系教育局 明天再来 待核实户籍 申请临时救助 邀请参加小组 暂无其他需求 过节时再看望 找木工修门
 问清药名再买 报给村里统一处理 两周后复查 需要法律咨询 交给下一班同事 请电工来看 准备慰问信 列入重点名单 补交照片 联系轮椅捐赠方 记入个案备选 盯紧孩子出勤 协助重建菜园`)
	noteTimes = strings.Fields(`上午 下午 傍晚 昨天 今早 雨停后 午饭前 赶集回来 放学时 晚饭后 清晨 周末 入户时 路过时 电话里`)
)

// noteLength is how many characters a note has.
const noteLength = 80

// note is one of noteLength characters, as a worker writes it after a visit.
func note(r *rand.Rand) string {
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	var text []rune
	for len(text) < noteLength {
		text = append(text, []rune(pick(noteTimes)+pick(noteWho)+pick(noteWhere)+"，"+pick(noteSeen)+"，"+pick(noteSeen)+"。"+pick(noteDone)+"，"+pick(noteDone)+"；"+pick(noteNext)+"。")...)
	}
	text = text[:noteLength]
	text[noteLength-1] = '。'
	return string(text)
}
