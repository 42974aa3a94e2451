// Package testneed is for tests that need a program which not every machine has.
package testneed

import (
	"fmt"
	"os"
	"testing"
)

// Missing ends a test for want of what the text names: the test is skipped, or fails where LEVEE_TEST_REQUIRE is "all", as it is
// where everything must hold before a change is taken.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	missing := fmt.Sprintf(format, args...)
	if os.Getenv("LEVEE_TEST_REQUIRE") == "all" {
		t.Fatalf("this test must run, and can't: %s", missing)
	}
	t.Skipf("not tested: %s", missing)
}
