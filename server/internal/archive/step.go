package archive

import (
	"slices"

	"levee/syncproto/words"
)

// Step is a part of the work.
type Step string

// The steps, in their order.
const (
	Copying Step = "copying"
	Erasing Step = "erasing"
	Tables  Step = "tables"
	Packing Step = "packing"
	Signing Step = "signing"
)

var steps = []Step{Copying, Erasing, Tables, Packing, Signing}

var stepWords = map[Step]words.Message{
	Copying: {EN: "copying the deployment", ZH: "复制行动数据"},
	Erasing: {EN: "taking personal data out of the copy", ZH: "清除副本中的个人信息"},
	Tables:  {EN: "writing the plain tables", ZH: "生成数据表"},
	Packing: {EN: "packing", ZH: "压缩整理"},
	Signing: {EN: "signing and verifying", ZH: "签名并核验"},
}

// Place says the how many-th step it is, from 1, of how many.
func (s Step) Place() (at, of int) { return slices.Index(steps, s) + 1, len(steps) }

// Said is what people call it.
func (s Step) Said() words.Message { return stepWords[s] }
