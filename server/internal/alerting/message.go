package alerting

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"levee/syncproto/hlc"
	"levee/syncproto/words"
)

// Message tells one worker of one alert. It travels over other people's servers: nothing that somebody wrote into the alert
// stands in it, nor whom it is about.
type Message struct {
	// ID is the same at each attempt, so that a message that comes twice is known.
	ID string
	// At is when the step began that it belongs to.
	At time.Time
	// Subject and Body are for a letter, Short for a text message.
	Subject, Body, Short string
}

// What messages say. The order of arguments is the same in all languages.
var (
	subject = words.Message{EN: "Levee: unconfirmed risk alert: %s, %s, %s", ZH: "【堤】风险上报未确认：%s，%s，%s"}
	opening = words.Message{EN: "A risk alert waits for somebody to confirm it.", ZH: "有一条风险上报还没有人确认。"}
	acting  = words.Message{
		EN: "Help first: phone the team. Then say on the page that you take care of it, or the alert goes on to the next person:",
		ZH: "请先救人：打电话联系服务队。然后在页面上确认由您负责，否则会转给下一位：",
	}
	closing = words.Message{EN: "This message was sent by a program. Nobody reads replies.", ZH: "此消息由系统自动发送，请勿回复。"}
	short   = words.Message{
		EN: "Levee: unconfirmed risk alert: %s, %s, %s, %s, seen %s. Help first, then confirm on the page: %s",
		ZH: "【堤】风险上报未确认：%s，%s，%s，%s，发现于%s。请先救人，然后在页面上确认：%s",
	}
	typeLabel     = words.Message{EN: "Type", ZH: "类型"}
	levelLabel    = words.Message{EN: "Level", ZH: "等级"}
	siteLabel     = words.Message{EN: "Site", ZH: "服务点"}
	teamLabel     = words.Message{EN: "Team", ZH: "服务队"}
	seenLabel     = words.Message{EN: "Seen", ZH: "发现时间"}
	receivedLabel = words.Message{EN: "Received", ZH: "收到时间"}
	notSaid       = words.Message{EN: "not known", ZH: "不详"}
)

// write is what a notice says of an alert, in a language.
func (s *Service) write(a Alert, n *Notice, language string) Message {
	w, setUp := words.In(language), s.config.SetUp()
	named := func(name string) string {
		if name == "" {
			return w.Say(notSaid)
		}
		return oneLine(name)
	}
	team := setUp.Teams[a.Team]
	site := setUp.Sites[a.Site]
	if site == nil {
		site = setUp.Sites[hlc.IDOf(team.GetSite())]
	}
	level, kind := choice(w, a.Level), choice(w, a.Type)
	link := fmt.Sprintf("%s/deployments/%v/alerts/%v", s.config.URL, s.config.Deployment, a.ID)
	seen, received := w.Say(notSaid), w.Instant(a.Received.In(setUp.Location))
	if !a.SeenAt.IsZero() {
		seen = w.Instant(a.SeenAt.In(setUp.Location))
	}
	lines := []string{
		w.Say(opening), "",
		w.Labelled(w.Say(levelLabel), level), w.Labelled(w.Say(typeLabel), kind),
		w.Labelled(w.Say(siteLabel), named(site.GetName())), w.Labelled(w.Say(teamLabel), named(team.GetName())),
		w.Labelled(w.Say(seenLabel), seen), w.Labelled(w.Say(receivedLabel), received), "",
		w.Say(acting), link, "",
		w.Say(closing), "",
	}
	return Message{
		ID: messageID(n), At: n.At,
		Subject: w.Say(subject, level, kind, named(site.GetName())),
		Body:    strings.Join(lines, "\n"),
		Short:   w.Say(short, level, kind, named(site.GetName()), named(team.GetName()), seen, link),
	}
}

// choice is the word for a value of an enumeration; that for an unknown one where this version has none.
func choice(w *words.Words, value protoreflect.Enum) string {
	values := value.Descriptor().Values()
	if v := values.ByNumber(value.Number()); v != nil {
		return w.Choice(v)
	}
	return w.Choice(values.ByNumber(0))
}

// oneLine is a name without what would begin another line.
func oneLine(name string) string { return strings.Join(strings.Fields(name), " ") }

func messageID(n *Notice) string {
	h := sha256.New()
	fmt.Fprintf(h, "%v %d %v %s", n.Alert, n.Step, n.Worker, n.Channel)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
