package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"levee/server"
	"levee/server/internal/database"
	"levee/server/internal/tracing"
)

// serveCmd serves until it is told to stop. What begins with "At the first start" makes the deployment.
type serveCmd struct {
	DB           string         `help:"SQLite file of the database, or the postgres:// URL of one; made when it is not there." default:"levee.db" env:"LEVEE_DB" type:"database"`
	Keys         string         `help:"File with the server's secrets, made when it is not there. By default the database's name with .keys, or levee.keys for PostgreSQL." env:"LEVEE_KEYS" type:"path"`
	Journal      string         `help:"File that outlives a restore of the database, made when it is not there. By default the database's name with .journal, or for PostgreSQL that of the keys." env:"LEVEE_JOURNAL" type:"path"`
	TrustedProxy []netip.Prefix `help:"Network of a proxy in front of the server, as 10.0.0.0/8: what it says in X-Forwarded-For is believed. May be repeated." env:"LEVEE_TRUSTED_PROXY" placeholder:"CIDR"`
	Listen       string         `help:"Address to listen on." default:"127.0.0.1:8410" env:"LEVEE_LISTEN"`
	URL          string         `help:"Where tablets reach this server; it stands in enrolment codes. By default the listening address." env:"LEVEE_URL"`

	AdminAddress string `help:"Address of this machine alone, such as 127.0.0.1:8411, for metrics, profiles of the running program (pprof), /healthz and /readyz. Without it there are no profiles." env:"LEVEE_ADMIN_ADDRESS" placeholder:"HOST:PORT"`
	Traces       bool   `help:"Send OpenTelemetry traces by OTLP over HTTP, as the variables OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER and so on say." env:"LEVEE_TRACES"`

	TLSCert    string   `name:"tls-cert" help:"PEM file of the server's certificate, with those of its issuers. Read again when it changes." env:"LEVEE_TLS_CERT" type:"existingfile" xor:"tls" placeholder:"FILE"`
	TLSKey     string   `name:"tls-key" help:"PEM file of the certificate's key." env:"LEVEE_TLS_KEY" type:"existingfile" placeholder:"FILE"`
	ACME       []string `name:"acme" help:"Domain for which a certificate is asked for by ACME (Let's Encrypt), which needs port 443. May be repeated." env:"LEVEE_ACME" xor:"tls" placeholder:"DOMAIN"`
	SelfSigned bool     `help:"Sign the certificate oneself: for a camp without internet. Enrolment codes carry its pin." env:"LEVEE_SELF_SIGNED" xor:"tls"`
	PlainHTTP  bool     `name:"plain-http" help:"Let other machines connect without encryption: behind a proxy that encrypts." env:"LEVEE_PLAIN_HTTP" xor:"tls"`

	BackupDir   string        `help:"Folder for backups, best on another disk. Changes are durable once a backup holds them; without this, when they are committed." env:"LEVEE_BACKUP_DIR" type:"path" placeholder:"DIR"`
	BackupEvery time.Duration `help:"How long after one backup the next is made." default:"15m" env:"LEVEE_BACKUP_EVERY"`
	BackupKeep  int           `help:"How many backups are kept." default:"24" env:"LEVEE_BACKUP_KEEP"`
	Durable     string        `help:"Without backups, when a change is durable: at its commit, or once a streaming standby of the PostgreSQL database has it on its disk." enum:"commit,standby" default:"commit" env:"LEVEE_DURABLE"`

	SMTP             string `name:"smtp" help:"Mail server as HOST:PORT, by which whoever is on duty is told of risk alerts. Encrypted: from the beginning at port 465, else by STARTTLS." env:"LEVEE_SMTP" placeholder:"HOST:PORT"`
	SMTPFrom         string `name:"smtp-from" help:"Sender of these messages." env:"LEVEE_SMTP_FROM" placeholder:"ADDRESS"`
	SMTPUser         string `name:"smtp-user" help:"User at the mail server, where it asks for one." env:"LEVEE_SMTP_USER" placeholder:"NAME"`
	SMTPPasswordFile string `name:"smtp-password-file" help:"File with that user's password; else it is taken from $$LEVEE_SMTP_PASSWORD." env:"LEVEE_SMTP_PASSWORD_FILE" type:"existingfile" placeholder:"FILE"`
	SMSURL           string `name:"sms-url" help:"Address of an SMS gateway, to which {to, text} is posted as JSON. Over https, unless it is on this machine." env:"LEVEE_SMS_URL" placeholder:"URL"`
	SMSTokenFile     string `name:"sms-token-file" help:"File with the bearer token for the gateway; else it is taken from $$LEVEE_SMS_TOKEN." env:"LEVEE_SMS_TOKEN_FILE" type:"existingfile" placeholder:"FILE"`

	SetUp    string   `help:"At the first start: YAML file that describes the deployment. See README.md." type:"existingfile" xor:"how"`
	Name     string   `help:"At the first start: name of the deployment." xor:"how"`
	Start    string   `help:"At the first start: its first day, such as 2021-09-23."`
	TimeZone string   `help:"At the first start: its time zone." default:"Asia/Shanghai"`
	Site     []string `help:"At the first start: a site as NAME=PLACECODE. May be repeated." sep:"none"`
	Team     []string `help:"At the first start: a team as NAME or NAME=SITE. May be repeated." sep:"none"`
	Worker   []string `help:"At the first start: a worker as NAME=TEAM or NAME=TEAM=ROLE. May be repeated." sep:"none"`
}

// Run serves.
func (c *serveCmd) Run(ctx context.Context) error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	if c.BackupEvery <= 0 || c.BackupKeep <= 0 {
		return errors.New("--backup-every and --backup-keep must be more than 0")
	}
	alerts, err := c.alerts()
	if err != nil {
		return err
	}
	setUp, err := c.setUp()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	encryption := server.TLS{CertFile: c.TLSCert, KeyFile: c.TLSKey, ACMEDomains: c.ACME, SelfSigned: c.SelfSigned, Plain: c.PlainHTTP}
	if err := encryption.Check(listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	url := c.URL
	if url == "" {
		url = encryption.URLOf(listener)
	}
	admin, err := c.listenAdmin(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	traces, endTraces, err := c.traces(ctx, log)
	if err != nil {
		return errors.Join(err, listener.Close(), closed(admin))
	}
	defer endTraces()
	collectLess()
	s, err := server.New(ctx, server.Config{DB: c.DB, Keys: c.Keys, Journal: c.Journal, SetUp: setUp, URL: url, TLS: encryption, Log: log,
		Backups: server.Backups{Dir: c.BackupDir, Every: c.BackupEvery, Keep: c.BackupKeep}, DurableOnStandby: c.Durable == "standby", Alerts: alerts, TrustedProxies: c.TrustedProxy, Traces: traces})
	if err != nil {
		return errors.Join(err, listener.Close(), closed(admin))
	}
	link, err := s.SetUpLink(ctx)
	if err != nil {
		return errors.Join(err, listener.Close(), closed(admin), s.Close())
	}
	welcome(os.Stdout, database.At(c.DB), url, c.SelfSigned, s.Made, link)
	return errors.Join(serve(ctx, s, listener, admin), s.Close())
}

// serve serves tablets and people on one listener and operators on another, which may be nil, and tells the service manager. The
// operators' ends last: they may want to see why a server does not stop.
func serve(ctx context.Context, s *server.Server, listener, admin net.Listener) error {
	if err := notify("READY=1"); err != nil { // its queue is open: who connects from now on is served
		return errors.Join(fmt.Errorf("telling the service manager: %w", err), listener.Close(), closed(admin))
	}
	looking, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	looked := make(chan error, 1)
	if admin == nil {
		looked <- nil
	} else {
		go func() { looked <- s.ServeAdmin(looking, admin) }()
	}
	telling := context.AfterFunc(ctx, func() { _ = notify("STOPPING=1") }) // it stops all the same
	defer telling()
	err := s.Serve(ctx, listener)
	stop()
	return errors.Join(err, <-looked)
}

// listenAdmin is where operators are listened to; nil for nowhere.
func (c *serveCmd) listenAdmin(ctx context.Context) (net.Listener, error) {
	if c.AdminAddress == "" {
		return nil, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.AdminAddress)
	if err != nil {
		return nil, fmt.Errorf("listening at the admin address: %w", err)
	}
	if err := server.CheckAdmin(l.Addr()); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func closed(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// tracesGrace is how long the last spans may take to be sent.
const tracesGrace = 3 * time.Second

// traces is where spans go, nil for nowhere, and what sends the last of them.
func (c *serveCmd) traces(ctx context.Context, log *slog.Logger) (trace.TracerProvider, func(), error) {
	if !c.Traces {
		return nil, func() {}, nil
	}
	exporting, err := tracing.Export(ctx, log)
	if err != nil {
		return nil, nil, err
	}
	return exporting, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), tracesGrace)
		defer cancel()
		if err := exporting.Shutdown(grace); err != nil {
			log.Warn("exporting traces", "error", err) // a server that has stopped well has stopped well
		}
	}, nil
}

// alerts are what the flags say about telling people of risk alerts.
func (c *serveCmd) alerts() (a server.Alerts, err error) {
	if c.SMTP == "" && c.SMTPFrom+c.SMTPUser+c.SMTPPasswordFile != "" || c.SMTP != "" && c.SMTPFrom == "" {
		return a, errors.New("--smtp and --smtp-from go together, and --smtp-user and --smtp-password-file with them")
	}
	if c.SMSURL == "" && c.SMSTokenFile != "" {
		return a, errors.New("--sms-token-file goes with --sms-url")
	}
	a.Mail.Address, a.Mail.From, a.Mail.User, a.SMS.URL = c.SMTP, c.SMTPFrom, c.SMTPUser, c.SMSURL
	if c.SMTPUser != "" {
		if a.Mail.Password, err = secret(c.SMTPPasswordFile, "LEVEE_SMTP_PASSWORD"); err != nil {
			return a, err
		}
	}
	if c.SMSURL != "" {
		if a.SMS.Token, err = secret(c.SMSTokenFile, "LEVEE_SMS_TOKEN"); err != nil {
			return a, err
		}
	}
	if c.SMTPUser != "" && a.Mail.Password == "" {
		return a, errors.New("--smtp-user needs --smtp-password-file")
	}
	if c.SMTPUser == "" && c.SMTPPasswordFile != "" {
		return a, errors.New("--smtp-password-file goes with --smtp-user")
	}
	return a, a.Validate()
}

// secret is what stands in a file, else in the environment. It is no flag: others on the machine can read those.
func secret(file, variable string) (string, error) {
	if file == "" {
		return os.Getenv(variable), nil
	}
	b, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	return strings.TrimRight(string(b), "\r\n"), err
}

// setUp is what the flags say about a deployment; nil when they say nothing.
func (c *serveCmd) setUp() (*server.SetUp, error) {
	if c.SetUp != "" {
		f, err := os.Open(c.SetUp)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		return server.ReadSetUp(f)
	}
	if c.Name == "" {
		return nil, nil
	}
	s := &server.SetUp{Name: c.Name, Start: c.Start, TimeZone: c.TimeZone}
	for _, text := range c.Site {
		name, code, _ := strings.Cut(text, "=")
		s.Sites = append(s.Sites, server.SetUpSite{Name: name, Code: code})
	}
	for _, text := range c.Team {
		name, site, _ := strings.Cut(text, "=")
		s.Teams = append(s.Teams, server.SetUpTeam{Name: name, Site: site})
	}
	for _, text := range c.Worker {
		name, rest, _ := strings.Cut(text, "=")
		team, role, _ := strings.Cut(rest, "=")
		s.Workers = append(s.Workers, server.SetUpWorker{Name: name, Team: team, Role: role})
	}
	return s, nil
}

// greeting is what a server says when it is up.
type greeting struct{ listens, setUp, apiAccess, enrol, another string }

var greetings = map[bool]greeting{
	false: {
		listens:   "Levee listens at %s\n",
		setUp:     "\nNobody can sign in on the web yet. Open this link within 24 hours to make the first account; it is good once:\n  %s\n",
		apiAccess: "\nToken of the JSON API:\n  %s\n",
		enrol:     "\nA tablet is let in with one of these codes, each good for one tablet and 14 days:\n",
		another:   "\nFor another code: leveed code --db %s --url %s%s NAME\n",
	},
	true: {
		listens:   "堤的服务地址：%s\n",
		setUp:     "\n还没有人可以在网页上登录。请在 24 小时内打开下面的链接，建立第一个账号；链接只能用一次：\n  %s\n",
		apiAccess: "\nJSON 接口的令牌：\n  %s\n",
		enrol:     "\n平板用下面的登记码登记；每个码供一台平板使用，14 天内有效：\n",
		another:   "\n需要新的登记码：leveed code --db %s --url %s%s 姓名\n",
	},
}

// welcome says where the server is, how the first account is made, and at the first start what else was made and how
// tablets come in.
func welcome(w io.Writer, db database.At, url string, selfSigned bool, made *server.Made, setUpLink string) {
	say := greetings[strings.HasPrefix(language(), "zh")]
	out := &strings.Builder{}
	fmt.Fprintf(out, say.listens, url)
	if setUpLink != "" {
		fmt.Fprintf(out, say.setUp, setUpLink)
	}
	if made != nil && len(made.Enrolments) > 0 {
		fmt.Fprint(out, say.enrol)
		for _, e := range made.Enrolments {
			fmt.Fprintf(out, "  %s", e.Worker)
			if e.Team != "" {
				fmt.Fprintf(out, " (%s)", e.Team)
			}
			fmt.Fprintf(out, ":\n    levee enrol %s\n", e.Code)
		}
	}
	flag := ""
	if selfSigned {
		flag = " --self-signed"
	}
	fmt.Fprintf(out, say.another, db, url, flag)
	_, _ = io.WriteString(w, out.String()) // a closed terminal does not stop the server
}

// collectLess has memory collected half as often as Go does by itself, unless the operator says by GOGC how often. What is alive is small
// beside the caches of the database, some tens of MB, so that a busy server would be collecting ten times a second.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}
