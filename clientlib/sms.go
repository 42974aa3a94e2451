package clientlib

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf16"

	recordv1 "levee/syncproto/levee/record/v1"
	"levee/syncproto/words"
)

// How long one SMS may be, in characters: of the basic alphabet, and in UTF-16 units with any other letter.
const (
	smsBasic = 160
	smsWide  = 70
)

var (
	smsAlert = words.Message{EN: "RISK ALERT", ZH: "风险上报"}
	smsLevel = words.Message{EN: " (%s)", ZH: "（%s）"}
	smsBody  = words.Message{EN: "%s: %s. %s. Call back: %s", ZH: "%s：%s。%s。请回电：%s"}
	smsComma = words.Message{EN: ", ", ZH: "，"}
)

// SMSText is what is sent by SMS of a risk alert when there is no other way: what kind of danger, how grave, where, since when, and who is to
// be called back, the worker by name. It says nothing of who is in danger, and no text that somebody wrote goes with it. It fits one SMS; for that the
// place is cut short first, then the name.
func SMSText(t *words.Terms, m *recordv1.RiskAlert, site, worker string) string {
	alert := t.Say(smsAlert)
	if m.GetLevel() != recordv1.RiskLevel_RISK_LEVEL_UNKNOWN {
		alert += t.Say(smsLevel, t.OptionOf(m.GetLevel().Descriptor(), m.GetLevel().Number()).Label)
	}
	danger := t.OptionOf(m.GetType().Descriptor(), m.GetType().Number()).Label
	seen := time.UnixMilli(m.GetSeenAt()).In(t.Zone()).Format(t.Either("2 Jan 15:04", "1月2日15:04"))
	place, name := []rune(cmp.Or(m.GetPlace().GetVillage(), site)), []rune(worker)
	for {
		where := string(place)
		if where != "" {
			where += t.Say(smsComma)
		}
		text := t.Say(smsBody, alert, danger, where+seen, string(name))
		switch {
		case fitsSMS(text), len(place)+len(name) == 0:
			return text
		case len(place) > 0:
			place = place[:len(place)-1]
		default:
			name = name[:len(name)-1]
		}
	}
}

// fitsSMS reports whether a text is one SMS.
func fitsSMS(text string) bool {
	// The basic alphabet has other letters too; of ASCII, these are not in it or count twice.
	other := func(r rune) bool { return r > 0x7e || r < ' ' && r != '\n' || strings.ContainsRune("`[\\]^{|}~", r) }
	if strings.ContainsFunc(text, other) {
		return len(utf16.Encode([]rune(text))) <= smsWide
	}
	return len(text) <= smsBasic
}
