package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"levee/syncproto/wire"
)

// levee runs a tablet's program on a file.
func levee(t *testing.T, file string, args ...string) (said string, exit int) {
	t.Helper()
	c := exec.Command(program(t, "levee"), append([]string{"--store", file, "--lang", "en"}, args...)...)
	c.Env = append(os.Environ(), "LC_ALL=en")
	out, err := c.CombinedOutput()
	if err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), c.ProcessState.ExitCode()
}

var typedPattern = regexp.MustCompile(`levee enrol (\S+:\d+) ((?:[A-Z2-9]{5}-)+[A-Z2-9]{1,5})\b`)

// A camp without internet: the server signs its own certificate, and the code is typed by hand. No certificate authority, no
// name, no clock is needed, and a tablet that was not given the pin sends nothing.
func TestACampsServerIsKnownByATypedCode(t *testing.T) {
	t.Setenv("LEVEE_PIN", "735194")
	dir := t.TempDir()
	db := filepath.Join(dir, "levee.db")
	env := []string{"LEVEE_LISTEN=" + freeAddress(t), "LEVEE_DB=" + db, "LEVEE_SELF_SIGNED=true"}
	p := up(t, env, "--name", "camp", "--start", "2026-01-01", "--site", "王庄镇=410621108", "--team", "一队=王庄镇", "--worker", "李娜=一队", "--worker", "王强=一队")
	_, another, ok := strings.Cut(p.said, "For another code: leveed ")
	if !ok {
		t.Fatalf("it said %s", p.said)
	}
	makes := func(name string) (address, typed, said string) {
		t.Helper()
		args := strings.Fields(strings.ReplaceAll(another, "NAME", name))
		o := &operator{t: t, dir: dir, lang: "en"}
		said, errs, exit := o.run(args...)
		found := typedPattern.FindStringSubmatch(said)
		if exit != 0 || found == nil {
			t.Fatalf("leveed %v: exit %d\n%s%s", args, exit, said, errs)
		}
		return found[1], found[2], said
	}
	address, typed, said := makes("李娜")
	if !strings.Contains(said, "levee1.") || !strings.Contains(said, "█") {
		t.Errorf("the code is shown as\n%s", said)
	}
	file := filepath.Join(dir, "a.db")
	if said, exit := levee(t, file, "enrol", address, typed[:len(typed)-1]); exit != 1 || !strings.Contains(said, "is not right") {
		t.Errorf("with a letter missing: exit %d, %s", exit, said)
	}
	if said, exit := levee(t, file, "enrol", address, strings.ToLower(typed)); exit != 0 || !strings.Contains(said, "李娜") {
		t.Fatalf("typed: exit %d, %s", exit, said)
	}
	if said, exit := levee(t, file, "log", "outreach", "--mode", "home", "--households", "12", "--service-area", "resource-linking"); exit != 0 {
		t.Fatalf("logging: %s", said)
	}
	// The server is started anew: it has the same pin.
	p.terminate(t)
	up(t, env)
	if said, exit := levee(t, file, "sync"); exit != 0 || !strings.Contains(said, "1 change") {
		t.Errorf("sync: exit %d, %s", exit, said)
	}
	// Without the pin the server is nobody's.
	_, typed, _ = makes("王强")
	secret := strings.ReplaceAll(typed, "-", "")[:20]
	if said, exit := levee(t, filepath.Join(dir, "b.db"), "enrol", address, withoutPin(secret)); exit != 1 || !strings.Contains(said, "not this deployment's server") {
		t.Errorf("without the pin: exit %d, %s", exit, said)
	}
	if said, exit := levee(t, filepath.Join(dir, "b.db"), "enrol", "http://"+address, withoutPin(secret)); exit != 1 {
		t.Errorf("without encryption: exit %d, %s", exit, said)
	}
	if said, exit := levee(t, filepath.Join(dir, "b.db"), "enrol", address, typed); exit != 0 {
		t.Errorf("with it: exit %d, %s", exit, said)
	}
}

// withoutPin is the typed form of a secret alone.
func withoutPin(secret string) string { return wire.EnrolmentCode{Secret: secret}.Typed() }

func TestPlainHTTPIsRefusedWhereOthersReachIt(t *testing.T) {
	o := &operator{t: t, dir: t.TempDir(), lang: "zh_CN.UTF-8"}
	flags := []string{"serve", "--listen", "0.0.0.0:0", "--name", "x", "--start", "2026-01-01"}
	o.want(1, "--self-signed", flags...)
	o.lang = "en"
	o.want(1, "would not be encrypted", flags...)
	if left, err := os.ReadDir(o.dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	o.want(1, "go together", append(flags, "--tls-cert", "/dev/null")...)
}
