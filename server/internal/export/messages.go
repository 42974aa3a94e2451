package export

import "levee/syncproto/words"

var english, chinese = words.In("en"), words.In("zh")

var idLabel = words.Message{EN: "id", ZH: "编号"}
