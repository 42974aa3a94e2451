package e2e

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The program of the container, built as its Containerfile says, needs nothing of the image but itself, tells nothing of where it
// was built, and runs as the image has it run.
func TestTheContainersProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds everything once more")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "server", "Containerfile"))
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .*)$`).FindSubmatch(text)
	if command == nil {
		t.Fatal("the Containerfile builds nothing")
	}
	for _, copied := range regexp.MustCompile(`(?m)^COPY ([a-z]\S+) \S+$`).FindAllSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join(root, string(copied[1]))); err != nil {
			t.Error(err)
		}
	}
	out := t.TempDir()
	build := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(string(command[1]), "/out/", out+"/"))
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	path := filepath.Join(out, "leveed")
	made, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(made, []byte(root+"/server/")) {
		t.Errorf("it tells that it was built in %s", root)
	}
	program, err := elf.NewFile(bytes.NewReader(made))
	if err != nil {
		t.Fatal(err)
	}
	if libraries, err := program.ImportedLibraries(); err != nil || len(libraries) != 0 || program.Section(".interp") != nil {
		t.Errorf("it needs %v of the image, %v", libraries, err)
	}

	// Nothing else is in the environment, as in the container, but for addresses that are free here.
	address, admin := freeAddress(t), freeAddress(t)
	serving := exec.CommandContext(t.Context(), path, "serve")
	serving.Dir, serving.Env = out, []string{"LEVEE_DB=" + filepath.Join(out, "levee.db"), "LEVEE_LISTEN=" + address, "LEVEE_ADMIN_ADDRESS=" + admin}
	p, ready := watch(t, serving)
	select {
	case <-ready:
	case <-p.ended:
		t.Fatalf("it does not run: %v\n%s", p.err, p.errs)
	}
	health := exec.CommandContext(t.Context(), path, "health")
	health.Env = []string{"LEVEE_ADMIN_ADDRESS=" + admin}
	if answer, err := health.CombinedOutput(); err != nil || string(answer) != "ok\n" {
		t.Errorf("it is not well: %v\n%s", err, answer)
	}
	p.terminate(t)
}
