package clientlib_test

import (
	"strings"
	"testing"
	"unicode/utf16"

	"google.golang.org/protobuf/proto"

	"levee/clientlib"
	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/words"
)

func TestAnSMSSaysWhatIsNeededAndOfWhomNothing(t *testing.T) {
	deployment := &recordv1.Deployment{TimeZone: proto.String("Asia/Shanghai"), StartOn: proto.Int32(20210923)}
	subject := testID(5, 1)
	m := &recordv1.RiskAlert{
		Subject: subject[:], Type: recordv1.RiskType_RISK_TYPE_HARM_TO_MINOR.Enum(), Level: recordv1.RiskLevel_RISK_LEVEL_RED.Enum(),
		SeenAt: proto.Int64(start.UnixMilli()), Done: proto.String("已陪同王秀英"), ReportedTo: proto.String("派出所刘警官"),
	}
	for lang, want := range map[string]string{
		"zh": "风险上报（红色）：侵害未成年人。王庄镇，9月23日09:00。请回电：李伟",
		"en": "RISK ALERT (red): harm to minor. Wangzhuang, 23 Sep 09:00. Call back: Li Wei",
	} {
		site, worker := "王庄镇", "李伟"
		if lang == "en" {
			site, worker = "Wangzhuang", "Li Wei"
		}
		if got := clientlib.SMSText(words.In(lang).For(deployment), m, site, worker); got != want {
			t.Errorf("%s: %q", lang, got)
		}
	}
	zh := words.In("zh").For(deployment)
	m.Place = &recordv1.Place{Village: proto.String("小寨村")}
	if got := clientlib.SMSText(zh, m, "王庄镇", "李伟"); !strings.Contains(got, "小寨村") || strings.Contains(got, "王庄镇") {
		t.Errorf("with a village: %q", got)
	}
	if got := clientlib.SMSText(zh, &recordv1.RiskAlert{SeenAt: m.SeenAt}, "", "李伟"); got != "风险上报：不详。9月23日09:00。请回电：李伟" {
		t.Errorf("with little known: %q", got)
	}
}

// Every danger fits one SMS in both languages, whatever the names are, and who is to be called back stays readable.
func TestAnSMSIsOne(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		for _, worker := range []string{"李伟", "Li Wei", strings.Repeat("阿", 100), strings.Repeat("a", 200), "", "🌊🌊"} {
			for _, site := range []string{"", "王庄镇", strings.Repeat("很长的地名", 20), strings.Repeat("long ", 40)} {
				for kind := range recordv1.RiskType_name {
					for level := range recordv1.RiskLevel_name {
						m := &recordv1.RiskAlert{Type: recordv1.RiskType(kind).Enum(), Level: recordv1.RiskLevel(level).Enum(), SeenAt: proto.Int64(start.UnixMilli())}
						got := clientlib.SMSText(words.In(lang).For(&recordv1.Deployment{}), m, site, worker)
						most := 70
						if !strings.ContainsFunc(got, func(r rune) bool { return r > 0x7e }) {
							most = 160
						}
						if n := len(utf16.Encode([]rune(got))); n > most {
							t.Fatalf("%d characters: %q", n, got)
						}
						if len([]rune(worker)) < 10 && !strings.Contains(got, worker) && lang == "zh" {
							t.Fatalf("nobody to call back: %q", got)
						}
					}
				}
			}
		}
	}
}
