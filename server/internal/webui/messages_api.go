package webui

// apiMessages are those of the page of the JSON API. What the document says is in English.
var apiMessages = map[string]message{
	"title_api":      {"The JSON API", "JSON 接口"},
	"api_lead":       {"What programs can ask of this server.", "程序可以向本服务器查询和提交的内容。以下说明为英文。"},
	"api_document":   {"OpenAPI document", "OpenAPI 文档"},
	"api_about":      {"In general", "概述"},
	"api_parts":      {"Parts of the API", "接口目录"},
	"api_types":      {"Types", "数据类型"},
	"api_type":       {"Type", "类型"},
	"api_meaning":    {"Meaning", "含义"},
	"api_parameters": {"Parameters", "参数"},
	"api_sent":       {"What is sent", "请求内容"},
	"api_answered":   {"What is answered", "返回内容"},
	"api_statuses":   {"Statuses", "状态码"},
	"go_api":         {"How programs use them", "程序如何使用令牌"},
}
