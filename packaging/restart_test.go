package packaging_test

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"hookgate/test/lab"
)

// How long a replica may take to end, by docs/cli.md.
const (
	handOver = 3 * time.Second
	drain    = 25 * time.Second
)

func mustDuration(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The command by which replicas/compose.yaml asks for a container's health works with
// what the image has, and says no while there is no replica that answers.
func TestHealthcheck(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		lab.Skip(t, "there is no bash")
	}
	command := at[[]any](t, documents(t, "replicas/compose.yaml")[0], "services", "hookgate-1", "healthcheck", "test")
	if len(command) != 4 || command[0] != "CMD" || command[1] != "bash" || command[2] != "-c" {
		t.Fatalf("the command is %v", command)
	}
	script := strings.ReplaceAll(command[3].(string), "$$", "$")
	g := lab.Start(t, "")
	if !strings.Contains(script, "/dev/tcp/127.0.0.1/8080 ") {
		t.Fatalf("it asks elsewhere: %s", script)
	}
	script = strings.Replace(script, "127.0.0.1/8080", strings.Replace(g.Addr, ":", "/", 1), 1)
	if out, err := exec.Command(bash, "-c", script).CombinedOutput(); err != nil {
		t.Errorf("while it runs: %v %s", err, out)
	}
	if code := g.Stop(); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	if out, err := exec.Command(bash, "-c", script).CombinedOutput(); err == nil {
		t.Errorf("when it is gone: %s", out)
	}
}

// The command by which the image asks for its health says yes while the server runs,
// also where none of the config's values are given, and no when it is gone.
func TestHealthcheck_image(t *testing.T) {
	t.Parallel()
	found := regexp.MustCompile(`(?m)^HEALTHCHECK .*CMD (\[.*\])$`).FindSubmatch(mustRead(t, "Dockerfile"))
	var command []string
	if found == nil || json.Unmarshal(found[1], &command) != nil || len(command) != 4 || command[0] != "hookgate" || command[3] != "/etc/hookgate/config.yaml" {
		t.Fatalf("the image asks by %q", command)
	}
	g := lab.Start(t, "")
	ask := func() (string, error) {
		cmd := exec.Command(lab.Binary(t), command[1], command[2], g.ConfigPath())
		cmd.Env = []string{"NO_COLOR=1"}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := ask(); err != nil {
		t.Errorf("while it runs: %v %s", err, out)
	}
	if code := g.Stop(); code != 0 {
		t.Fatalf("exit status %d", code)
	}
	if out, err := ask(); err == nil {
		t.Errorf("when it is gone: %s", out)
	}
}

// Caddy notices that a replica is stopping before it is gone, and nothing that
// a sender does takes one out.
func TestCaddyfile(t *testing.T) {
	t.Parallel()
	text := string(mustRead(t, "replicas/Caddyfile"))
	every := regexp.MustCompile(`\n\t*health_interval (\S+)\n`).FindStringSubmatch(text)
	if len(every) != 2 || 2*mustDuration(t, every[1]) > handOver {
		t.Errorf("Caddy asks for health every %q, replicas hand over for %s", every, handOver)
	}
	if regexp.MustCompile(`\n\t*fail_duration`).MatchString(text) {
		t.Error("a request that breaks off takes a replica out")
	}
}
