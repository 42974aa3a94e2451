package bench

import (
	"math/rand/v2"
	"strings"
)

// What notes are made of: as many words as a team uses, and joined so freely that notes compress about as badly as those that
// people write.
var (
	surnames = []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文")
	given    = []rune("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰梅红建国志文海燕春雪丹凤洁琳素云莲荣爱彩月莺媛珍贞莉翠雅芝萍菊凤晶妍茜秋珊锦黛青倩婷宁蓓纨苑婕馨瑾颖露瑶怡婵雁蓉眉君琴蕊薇菁梦岚筠柔竹霭凝晓欢霄枫芸菲寒欣滢伊亚宜可姬舒影荔枝思")
	people   = strings.Fields("大爷 奶奶 老人 阿姨 大叔 婶子 大姐 夫妇 一家 母女 父子 爷孙 媳妇 孩子 兄弟 姐妹 同学 村医 支书 组长 邻居 房东 司机 店主 老师 校长 护士 会计 木匠 电工")
	actions  = strings.Fields(`探访 陪伴 倾听 安抚 记录 询问 联系 协助 搬运 清理 晾晒 登记 测量 讲解 示范 发放 转交 核对 修补 打扫 劝说 商量 约定 提醒 鼓励 引导 教会 准备 安排 接送 照看 拍摄 填写 打印 递交 咨询 协调 汇报
 补办 代买 分装 加固 排水 消毒 试用 更换 归还 翻晒 计算 解释 转介 评估 跟进 回访 组织 邀请 动员 布置 练习 唱歌 画画 下棋 朗读 游戏 讨论 分享 感谢 哭诉 抱怨 犹豫 拒绝 答应 失眠 咳嗽 发烧 头晕 腹泻 骨折 流泪 沉默 微笑 争吵 和好`)
	things = strings.Fields(`棉被 药品 米面 饮水 家具 冰箱 院墙 屋顶 门锁 水井 电表 电线 化粪池 农具 种子 化肥 玉米 花生 红薯 果树 大棚 猪圈 鸡舍 三轮车 轮椅 拐杖 助听器 眼镜 证件 存折 户口本 房产证 低保证 残疾证 病历 处方 血压计 体温表
 奶粉 尿布 书包 作业 课本 绘本 文具 校服 奖状 照片 族谱 牌位 戏服 锣鼓 广播 手机 充电宝 手电 煤气灶 热水器 洗衣机 电视 床板 竹席 蚊帐 雨靴 铁锹 抽水机 挖掘机 沙袋 帐篷 板房 厕所 食堂 操场 祠堂 河堤 桥面 村道 田埂 菜园 鱼塘 货架 账本 贷款 保险 补助 工资 学费 租金
 噩梦 心事 往事 亲戚 女儿 孙子 老伴 工友 同乡 街坊 狗 猫 羊 牛`)
	manners = strings.Fields(`已经 还没 刚刚 慢慢 一直 常常 偶尔 再次 一起 分别 当面 仔细 勉强 主动 反复 暂时 终于 明显 稍微 非常 比较 逐渐 突然 依然 可能 应该 需要 希望 打算 担心 害怕 不肯 愿意 同意 忘记 记得 请求 等待`)
	places  = strings.Fields(`安置点 村委会 卫生室 小学 操场 河边 镇上 院里 堂屋 地头 路口 井台 库房 诊所 车站 集市 祠堂 广场 板房 楼顶 桥头 果园 粮站 幼儿园 敬老院 派出所 民政所 银行 饭店 亲戚家`)
	between = strings.Fields(`的 了 着 过 和 跟 把 被 给 对 就 也 都 又 才 只 很 太 更 最 与 从 向 为 让 叫`)
	breaks  = []rune("，，，，。。；、")
	digits  = []rune("一二三四五六七八九十两几半")
	units   = strings.Fields("次 人 户 天 周 袋 箱 床 张 把 个 亩 头 公里 小时 分钟 元 斤 页 间")
)

// noteLength is how many characters a note has.
const noteLength = 80

// note is one of noteLength characters, as a worker writes it after a visit.
func note(r *rand.Rand) string {
	text := make([]rune, 0, 2*noteLength)
	word := func(from []string) { text = append(text, []rune(from[r.IntN(len(from))])...) }
	letter := func(from []rune) { text = append(text, from[r.IntN(len(from))]) }
	for len(text) < noteLength {
		switch r.IntN(6) {
		case 0:
			letter(surnames)
			letter(given)
			letter(given)
		case 1:
			letter(surnames)
			word(people)
		case 2:
			text = append(text, '在')
			word(places)
		default:
			word(people)
		}
		word(manners)
		word(actions)
		if r.IntN(2) == 0 {
			word(between)
		}
		if r.IntN(3) == 0 {
			letter(digits)
			word(units)
		}
		word(things)
		if r.IntN(3) == 0 {
			word(between)
			word(actions)
		}
		letter(breaks)
	}
	text = text[:noteLength]
	text[noteLength-1] = '。'
	return string(text)
}
