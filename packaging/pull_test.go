package packaging_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"hookgate/test/lab"
)

// repository is a bare repository with a working copy, and what it takes to run
// the programs that the pages speak of.
type repository struct {
	t        *testing.T
	bare     string
	work     string
	commands string // a folder with the program under its name
}

func newRepository(t *testing.T) *repository {
	t.Helper()
	lab.Need(t, "git")
	r := &repository{t: t, bare: filepath.Join(t.TempDir(), "rules.git"), work: filepath.Join(t.TempDir(), "work"), commands: t.TempDir()}
	if err := os.Symlink(lab.Binary(t), filepath.Join(r.commands, "hookgate")); err != nil {
		t.Fatal(err)
	}
	r.must(t.TempDir(), "git", "init", "--quiet", "--bare", "-b", "main", r.bare)
	r.must(t.TempDir(), "git", "clone", "--quiet", r.bare, r.work)
	return r
}

// run runs a command in a folder.
func (r *repository) run(dir string, env []string, name string, args ...string) (output string, code int) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{
		"PATH=" + r.commands + ":" + os.Getenv("PATH"), "HOME=" + r.commands, "TMPDIR=" + os.TempDir(), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@agency.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@agency.example",
	}, env...)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		r.t.Fatalf("%s: %v", name, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (r *repository) must(dir, name string, args ...string) string {
	r.t.Helper()
	out, code := r.run(dir, nil, name, args...)
	if code != 0 {
		r.t.Fatalf("%s %v: exit status %d\n%s", name, args, code, out)
	}
	return out
}

// commit brings a file into the branch.
func (r *repository) commit(name, text, message string) {
	r.t.Helper()
	path := filepath.Join(r.work, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.must(r.work, "git", "add", "-A")
	r.must(r.work, "git", "commit", "--quiet", "-m", message)
	r.must(r.work, "git", "push", "--quiet", "origin", "HEAD:main")
}

func clientRules(name, when string) string {
	return "sources: { " + name + ": { type: webhook, token: \"${CLIENT_TOKEN}\" } }\nrules:\n  - name: " + name + "-all\n    from: " + name + "\n    when: " + when +
		"\n    then: [{ to: log, text: \"${{ data.n }}\" }]\ntests:\n  - { name: " + name + " five, event: { source: " + name + ", data: { n: 5 } }, expect: [" + name + "-all/log] }\n"
}

// inGit is a running server whose folder is a clone.
func inGit(t *testing.T, r *repository, alarm string) *lab.Gate {
	t.Helper()
	g := lab.New(t, `
include: [clients/*.yaml]
connections: { log: { type: log }, alarm: { type: webhook, url: "`+alarm+`" } }
rules:
  - { name: alarm, from: hookgate, events: config_refused, then: [{ to: alarm, json: { file: "${{ data.file }}", text: "${{ data.text }}" } }] }
`)
	g.Extra = "  admin: { user: team, password: correct-horse-battery }\n" // else there is no API but on the machine
	r.commit("config.yaml", g.Header()+"include: [clients/*.yaml]\nconnections: { log: { type: log }, alarm: { type: webhook, url: \""+alarm+"\" } }\n"+
		"rules:\n  - { name: alarm, from: hookgate, events: config_refused, then: [{ to: alarm, json: { file: \"${{ data.file }}\", text: \"${{ data.text }}\" } }] }\n", "the beginning")
	r.commit("clients/ada.yaml", clientRules("ada", "data.n > 4"), "ada")
	if err := os.WriteFile(filepath.Join(g.Dir, ".env"), []byte("CLIENT_TOKEN=0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.must(g.Dir, "git", "init", "--quiet", "-b", "main")
	r.must(g.Dir, "git", "remote", "add", "origin", r.bare)
	r.must(g.Dir, "git", "fetch", "--quiet", "origin", "main")
	r.must(g.Dir, "git", "reset", "--quiet", "--hard", "origin/main")
	g.WriteConfig(string(mustRead(t, filepath.Join(r.work, "config.yaml")))) // the lab writes its own when it starts
	return g
}

// A commit comes into force; one that is broken, or of which a test fails, is
// refused, told of once, and the version before stays in force and in the folder.
//
// Negative control: the script goes to the commit before it checks it: the folder
// has the broken file.
func TestPull(t *testing.T) {
	t.Parallel()
	sink := lab.NewSink(t, nil)
	r := newRepository(t)
	g := inGit(t, r, sink.URL)
	g.Start()
	script, err := filepath.Abs("hookgate-pull.sh")
	if err != nil {
		t.Fatal(err)
	}
	pull := func(want int) string {
		t.Helper()
		out, code := r.run(t.TempDir(), []string{"HOOKGATE_CONFIG=" + g.ConfigPath()}, "sh", script)
		if code != want {
			t.Fatalf("pull: exit status %d, want %d\n%s", code, want, out)
		}
		return out
	}
	accepts := func(source string) bool {
		return g.PostJSON("/in/"+source+"/0123456789abcdef", []byte(`{"n":7}`)).Status == http.StatusAccepted
	}
	if out := pull(0); out != "" || !accepts("ada") {
		t.Fatalf("without a new commit: %s", out)
	}
	r.commit("clients/ben.yaml", clientRules("ben", "data.n > 4"), "ben")
	if out := pull(0); !strings.Contains(out, " ben\n") || !accepts("ben") {
		t.Fatalf("the commit is not in force: %s", out)
	}
	before := r.must(g.Dir, "git", "rev-parse", "HEAD")
	for i, broken := range []struct{ name, when, said string }{{"carl", "data.n = 4", `"=" is not an operator`}, {"dora", "data.n > 5", "expected dora-all/log"}} {
		r.commit("clients/carl.yaml", clientRules(broken.name, broken.when), broken.name+"'s mistake")
		if out := pull(1); !strings.Contains(out, "refused") || !strings.Contains(out, "clients/carl.yaml") {
			t.Errorf("%s: %s", broken.name, out)
		}
		told := struct{ File, Text string }{}
		if err := json.Unmarshal(sink.Await(t, i+1)[i].Body, &told); err != nil {
			t.Fatal(err)
		}
		if told.File != "clients/carl.yaml" || !strings.Contains(told.Text, broken.name+"'s mistake was refused") {
			t.Errorf("%s: told of %+v", broken.name, told)
		}
		if pull(0) != "" || !accepts("ben") || accepts(broken.name) || r.must(g.Dir, "git", "rev-parse", "HEAD") != before {
			t.Errorf("%s: the version before is not in force", broken.name)
		}
	}
	r.commit("clients/carl.yaml", clientRules("carl", "data.n > 4"), "carl, mended")
	if pull(0); !accepts("carl") {
		t.Error("the commit that mends it is not in force")
	}
	if n := sink.Count(); n != 2 {
		t.Errorf("told %d times, want 2", n)
	}
	if left := r.must(g.Dir, "git", "worktree", "list"); strings.Count(left, "\n") != 1 {
		t.Errorf("left behind: %s", left)
	}
	if code := g.Stop(); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	r.commit("clients/carl.yaml", clientRules("carl", "data.n >= 5"), "while nothing runs")
	pull(0)
}

// The comment of a pull request says what is wrong, which tests fail, and what
// would go elsewhere, without the values of the environment, with a token that may
// only read.
func TestReview(t *testing.T) {
	t.Parallel()
	r := newRepository(t)
	g := inGit(t, r, "http://127.0.0.1:9/")
	g.Start()
	page := string(mustRead(t, "../docs/rules-in-git.md"))
	review := filepath.Join(t.TempDir(), "review.sh")
	script := regexp.MustCompile("(?s)```sh\n(#!/bin/sh\n.*?\n)```\n").FindStringSubmatch(page)
	if script == nil {
		t.Fatal("the page has no review.sh")
	}
	if err := os.WriteFile(review, []byte(script[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	g.Settled(g.Accepted(g.PostJSON("/in/ada/0123456789abcdef", []byte(`{"n":6}`))))
	token := strings.TrimSpace(g.MustCLI("tokens", "create", "review", "--scope", "read"))
	server := []string{"HOOKGATE_URL=" + g.URL, "HOOKGATE_TOKEN=" + token}
	has := func(what, out string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(out, part) {
				t.Errorf("%s lacks %q:\n%s", what, part, out)
			}
		}
	}
	out, code := r.run(r.work, server, "sh", review, "config.yaml")
	if has("a change of nothing", out, "### ✓ Check", "### ✓ Tests", "1 passed", "### ✓ The last 30 days", "None of 1 event changes"); code != 0 {
		t.Errorf("exit status %d", code)
	}
	r.commit("clients/ada.yaml", clientRules("ada", "data.n == 5"), "less")
	out, code = r.run(r.work, server, "sh", review, "config.yaml")
	if has("a change", out, "### ✓ Check", "ada-all", "1 of 1 event changes. Nothing was sent."); code != 0 {
		t.Errorf("exit status %d", code)
	}
	r.commit("clients/ada.yaml", clientRules("ada", "data.n == 6"), "wrong")
	out, code = r.run(r.work, nil, "sh", review, "config.yaml")
	if has("a test that fails", out, "### ✗ Tests", "1 failed"); code != 1 || strings.Contains(out, "30 days") {
		t.Errorf("exit status %d, without a token:\n%s", code, out)
	}
	r.commit("clients/ada.yaml", "rules: [{ name: x, frm: y }]\n", "broken")
	out, code = r.run(r.work, server, "sh", review, "config.yaml")
	if has("a fault", out, "### ✗ Check", `clients/ada.yaml:1:20: a rule has no key "frm"`); code != 1 {
		t.Errorf("exit status %d", code)
	}
}

// The workflows are YAML, and run the script that the page has.
func TestWorkflows(t *testing.T) {
	t.Parallel()
	page := string(mustRead(t, "../docs/rules-in-git.md"))
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```\n").FindAllStringSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d workflows", len(blocks))
	}
	for i, b := range blocks {
		var doc map[string]any
		if err := yaml.Unmarshal([]byte(b[1]), &doc); err != nil || !strings.Contains(b[1], "sh review.sh config.yaml >comment.md") {
			t.Errorf("workflow %d: %v, %v", i, doc, err)
		}
	}
}

// The package brings the script, the service that runs it, and the timer, which
// is not enabled.
func TestPullUnits(t *testing.T) {
	t.Parallel()
	nfpm := string(mustRead(t, "nfpm.yaml"))
	for _, line := range []string{
		"{ src: packaging/hookgate-pull.sh, dst: /usr/lib/hookgate/pull, file_info: { mode: 0755 } }",
		"{ src: packaging/hookgate-pull.service, dst: /usr/lib/systemd/system/hookgate-pull.service,", "{ src: packaging/hookgate-pull.timer, dst: /usr/lib/systemd/system/hookgate-pull.timer,",
	} {
		if !strings.Contains(nfpm, line) {
			t.Errorf("nfpm.yaml lacks %s", line)
		}
	}
	if unit := string(mustRead(t, "hookgate-pull.service")); !strings.Contains(unit, "\nExecStart=/usr/lib/hookgate/pull\n") || !strings.Contains(unit, "\nUser=hookgate\n") {
		t.Errorf("the service runs something else:\n%s", unit)
	}
	if strings.Contains(string(mustRead(t, "scripts/postinstall.sh")), "pull") {
		t.Error("the package enables the timer")
	}
}
