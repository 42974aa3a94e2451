package main

import (
	"os"
	"path/filepath"
	"testing"

	"levee/server"
	"levee/server/internal/alerting"
)

// Passwords and tokens come from files or the environment: what stands on a command line is read by others.
func TestSecretsOfChannels(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	password, token := file("password", "from a file\n"), file("token", "a token\r\n")
	t.Setenv("LEVEE_SMTP_PASSWORD", "from the environment")
	for name, c := range map[string]struct {
		flags serveCmd
		want  server.Alerts
		wrong bool
	}{
		"nothing": {},
		"files": {flags: serveCmd{SMTP: "mail.example.org:587", SMTPFrom: "a@example.org", SMTPUser: "a", SMTPPasswordFile: password, SMSURL: "https://sms.example.org", SMSTokenFile: token},
			want: server.Alerts{Mail: alerting.MailServer{Address: "mail.example.org:587", From: "a@example.org", User: "a", Password: "from a file"}, SMS: alerting.SMSGateway{URL: "https://sms.example.org", Token: "a token"}}},
		"the environment": {flags: serveCmd{SMTP: "mail.example.org:465", SMTPFrom: "a@example.org", SMTPUser: "a"},
			want: server.Alerts{Mail: alerting.MailServer{Address: "mail.example.org:465", From: "a@example.org", User: "a", Password: "from the environment"}}},
		"no sender":           {flags: serveCmd{SMTP: "mail.example.org:587"}, wrong: true},
		"no server":           {flags: serveCmd{SMTPFrom: "a@example.org"}, wrong: true},
		"no port":             {flags: serveCmd{SMTP: "mail.example.org", SMTPFrom: "a@example.org"}, wrong: true},
		"no gateway":          {flags: serveCmd{SMSTokenFile: token}, wrong: true},
		"a gateway in clear":  {flags: serveCmd{SMSURL: "http://sms.example.org"}, wrong: true},
		"a file that is gone": {flags: serveCmd{SMSURL: "https://sms.example.org", SMSTokenFile: filepath.Join(folder, "gone")}, wrong: true},
	} {
		got, err := c.flags.alerts()
		if (err != nil) != c.wrong {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	t.Setenv("LEVEE_SMTP_PASSWORD", "")
	if _, err := (&serveCmd{SMTP: "mail.example.org:587", SMTPFrom: "a@example.org", SMTPUser: "a"}).alerts(); err == nil {
		t.Error("a user without a password was taken")
	}
}
