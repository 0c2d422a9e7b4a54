package packaging_test

import (
	"slices"
	"strings"
	"testing"
)

// A release is built only from what the build server's own checks have passed,
// by the command that anybody can run, and a person publishes it.
func TestRelease(t *testing.T) {
	t.Parallel()
	doc := documents(t, "../.github/workflows/release.yml")[0]
	job := at[map[string]any](t, doc, "jobs", "release")
	var runs []string
	for _, step := range at[[]any](t, job, "steps") {
		if run, found := step.(map[string]any)["run"]; found {
			runs = append(runs, run.(string))
		}
	}
	find := func(text string) int {
		return slices.IndexFunc(runs, func(run string) bool { return strings.Contains(run, text) })
	}
	check, build, publish := find(".ci/run"), find("make dist"), find("gh release create")
	if check < 0 || build < check || publish < build {
		t.Errorf("the steps are not check, build, publish: %q", runs)
	}
	if publish >= 0 && !strings.Contains(runs[publish], "--draft") {
		t.Error("it is published before anybody has looked")
	}
	// What make dist needs is installed: the cross compiler that it names.
	if !strings.Contains(string(mustRead(t, "dist.sh")), "aarch64-linux-gnu-gcc") || find("gcc-aarch64-linux-gnu") < 0 {
		t.Error("the compiler of the other architecture is not installed")
	}
}
