// Package packaging_test checks the files that run hookgate on machines: that
// they can be read, that the configuration in them passes `hookgate check`
// with the environment that they give, and that they agree with the program.
package packaging_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"hookgate/test/lab"
)

func TestMain(m *testing.M) { os.Exit(lab.Main(m)) }

func mustRead(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// documents are those of a YAML file.
func documents(t *testing.T, name string) []map[string]any {
	t.Helper()
	var list []map[string]any
	decoder := yaml.NewDecoder(bytes.NewReader(mustRead(t, name)))
	for {
		var doc map[string]any
		err := decoder.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, doc)
	}
}

// at goes down a path of keys and indices; it fails the test where there is nothing.
func at[T any](t *testing.T, doc any, path ...any) T {
	t.Helper()
	for _, step := range path {
		switch key := step.(type) {
		case string:
			doc = doc.(map[string]any)[key]
		case int:
			doc = doc.([]any)[key]
		}
		if doc == nil {
			t.Fatalf("nothing at %v", path)
		}
	}
	value, ok := doc.(T)
	if !ok {
		t.Fatalf("%v is a %T", path, doc)
	}
	return value
}

// check runs `hookgate check` on a configuration with an environment, and wants
// neither error nor warning.
func check(t *testing.T, config string, environment []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(lab.Binary(t), "check", path)
	cmd.Env = append([]string{"NO_COLOR=1"}, environment...)
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("warnings: 0")) {
		t.Errorf("hookgate check: %v\n%s", err, out)
	}
}

// values gives every name a value of the right kind.
func values(names []string) []string {
	var list []string
	for _, name := range names {
		value := "0123456789abcdef0123456789abcdef"
		switch {
		case name == "DATABASE_URL":
			value = "postgres://hookgate:0123456789abcdef@postgres:5432/hookgate?sslmode=disable"
		case name == "HOOKGATE_DOMAIN":
			value = "hooks.agency.example"
		case strings.HasSuffix(name, "_URL"):
			value = "https://hooks.slack.com/services/T00000000/B00000000/example"
		}
		list = append(list, name+"="+value)
	}
	return list
}

// named are the environment's names in a configuration.
func named(config string) []string {
	names := map[string]bool{}
	for line := range strings.SplitSeq(config, "\n") {
		line, _, _ = strings.Cut(line, "# ")
		for _, match := range regexp.MustCompile(`\$\{([A-Z_]+)\}`).FindAllStringSubmatch(line, -1) {
			names[match[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// One container: what its config asks for is what the docs have in .env, its data is
// on a volume, and its proxies are trusted.
func TestCompose(t *testing.T) {
	t.Parallel()
	doc := documents(t, "compose.yaml")[0]
	config := string(mustRead(t, "config/config.yaml"))
	one := at[map[string]any](t, doc, "services", "hookgate")
	if file := at[string](t, one, "env_file"); file != ".env" {
		t.Errorf("the values come from %s", file)
	}
	check(t, config, values(named(config)))
	docs := string(mustRead(t, "../docs/deployment.md"))
	_, section, _ := strings.Cut(docs, "\n## One container\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, name := range named(config) {
		if !strings.Contains(section, "\n"+name+"=") {
			t.Errorf("docs/deployment.md has no %s in .env", name)
		}
	}
	if grace := at[string](t, one, "stop_grace_period"); mustDuration(t, grace) < handOver+drain {
		t.Errorf("the container is killed %s after it is told to end", grace)
	}
	if mounts := at[[]any](t, one, "volumes"); !slices.Contains(mounts, any("data:/var/lib/hookgate")) || !slices.Contains(mounts, any("./config:/etc/hookgate:ro")) ||
		!strings.Contains(config, "path: /var/lib/hookgate/") || !bytes.Contains(mustRead(t, "Dockerfile"), []byte(" /var/lib/hookgate\nUSER 10001")) {
		t.Errorf("the database is on no volume of user 10001: %v", mounts)
	}
	subnet := at[string](t, doc, "networks", "hookgate", "ipam", "config", 0, "subnet")
	if _, err := netip.ParsePrefix(subnet); err != nil || !strings.Contains(config, "trusted_proxies: ["+subnet+"]") {
		t.Errorf("config.yaml does not trust the network %s: %v", subnet, err)
	}
	if !bytes.Contains(mustRead(t, "Caddyfile"), []byte("reverse_proxy hookgate:8080 ")) {
		t.Error("the Caddyfile does not send to the container")
	}
}

func TestCompose_replicas(t *testing.T) {
	t.Parallel()
	doc := documents(t, "replicas/compose.yaml")[0]
	config := string(mustRead(t, "replicas/config.yaml"))
	replicas := 0
	for name := range at[map[string]any](t, doc, "services") {
		if !strings.HasPrefix(name, "hookgate-") {
			continue
		}
		replicas++
		if !bytes.Contains(mustRead(t, "replicas/Caddyfile"), []byte(name+":8080")) {
			t.Errorf("the Caddyfile does not send to %s", name)
		}
		environment := at[map[string]any](t, doc, "services", name, "environment")
		given := slices.Sorted(maps.Keys(environment))
		if diff := cmp.Diff(named(config), given); diff != "" {
			t.Errorf("%s: what config.yaml asks for and what it gets differ: %s", name, diff)
		}
		check(t, config, values(given))
	}
	if replicas != 3 {
		t.Errorf("%d replicas, want 3", replicas)
	}
	one := at[map[string]any](t, doc, "services", "hookgate-1")
	if grace := at[string](t, one, "stop_grace_period"); mustDuration(t, grace) < handOver+drain {
		t.Errorf("containers are killed %s after they are told to end", grace)
	}
	// The folder for files is on a volume of which the image has the folder, with its owner.
	if mounts := at[[]any](t, one, "volumes"); !slices.Contains(mounts, any("files:/var/lib/hookgate")) ||
		!strings.Contains(config, "files: /var/lib/hookgate/") || !bytes.Contains(mustRead(t, "Dockerfile"), []byte(" /var/lib/hookgate\nUSER 10001")) {
		t.Errorf("the files of forms are on no volume of user 10001: %v", mounts)
	}
	subnet := at[string](t, doc, "networks", "hookgate", "ipam", "config", 0, "subnet")
	if _, err := netip.ParsePrefix(subnet); err != nil || !strings.Contains(config, "trusted_proxies: ["+subnet+"]") {
		t.Errorf("config.yaml does not trust Caddy's network %s: %v", subnet, err)
	}
	// Every variable that compose.yaml takes from .env is in the docs.
	docs := string(mustRead(t, "../docs/deployment.md"))
	for _, match := range regexp.MustCompile(`\$\{([A-Z_]+)`).FindAllStringSubmatch(string(mustRead(t, "replicas/compose.yaml")), -1) {
		if !strings.Contains(docs, match[1]) {
			t.Errorf("docs/deployment.md does not name %s", match[1])
		}
	}
}

func TestKubernetes(t *testing.T) {
	t.Parallel()
	kinds := map[string]map[string]any{}
	for _, doc := range documents(t, "kubernetes.yaml") {
		kinds[at[string](t, doc, "kind")] = doc
	}
	if diff := cmp.Diff([]string{"ConfigMap", "Deployment", "PodDisruptionBudget", "Service"}, slices.Sorted(maps.Keys(kinds))); diff != "" {
		t.Fatal(diff)
	}
	config := at[string](t, kinds["ConfigMap"], "data", "config.yaml")
	deployment := kinds["Deployment"]
	if n := at[int](t, deployment, "spec", "replicas"); n != 3 {
		t.Errorf("%d replicas, want 3", n)
	}
	container := at[map[string]any](t, deployment, "spec", "template", "spec", "containers", 0)
	var given []string
	for _, e := range at[[]any](t, container, "env") {
		if key := at[string](t, e, "valueFrom", "secretKeyRef", "key"); key != at[string](t, e, "name") {
			t.Errorf("%v comes from another key", e)
		}
		given = append(given, at[string](t, e, "name"))
	}
	if diff := cmp.Diff(named(config), given); diff != "" {
		t.Errorf("what the configuration asks for and what it gets differ: %s", diff)
	}
	check(t, config, values(given))
	for _, name := range given {
		if !bytes.Contains(mustRead(t, "../docs/deployment.md"), []byte("--from-literal="+name+"=")) {
			t.Errorf("docs/deployment.md does not say how %s gets into the secret", name)
		}
	}
	pod := at[map[string]any](t, deployment, "spec", "template", "spec")
	pause := mustDuration(t, at[string](t, container, "lifecycle", "preStop", "exec", "command", 1)+"s")
	if grace := time.Duration(at[int](t, pod, "terminationGracePeriodSeconds")) * time.Second; grace < pause+handOver+drain {
		t.Errorf("pods are killed %s after they are told to end", grace)
	}
	for probe, path := range map[string]string{"startupProbe": "/readyz", "readinessProbe": "/readyz", "livenessProbe": "/healthz"} {
		if got := at[string](t, container, probe, "httpGet", "path"); got != path {
			t.Errorf("%s asks for %s, want %s", probe, got, path)
		}
	}
	labels := at[map[string]any](t, deployment, "spec", "template", "metadata", "labels")
	for what, selector := range map[string]map[string]any{
		"the deployment": at[map[string]any](t, deployment, "spec", "selector", "matchLabels"),
		"the service":    at[map[string]any](t, kinds["Service"], "spec", "selector"),
		"the budget":     at[map[string]any](t, kinds["PodDisruptionBudget"], "spec", "selector", "matchLabels"),
	} {
		if diff := cmp.Diff(labels, selector); diff != "" {
			t.Errorf("%s selects other pods: %s", what, diff)
		}
	}
}

// The unit and the docs belong together: the configuration that the docs show
// for it is checked, and the unit is read by systemd where that is installed.
func TestService(t *testing.T) {
	t.Parallel()
	docs := string(mustRead(t, "../docs/deployment.md"))
	_, rest, _ := strings.Cut(docs, "```yaml\nversion: 1")
	config, _, ok := strings.Cut(rest, "```")
	if !ok || !strings.Contains(config, "storage: { path: /var/lib/hookgate/hookgate.db }") {
		t.Fatal("docs/deployment.md shows no configuration for the service")
	}
	check(t, "version: 1"+config, values(named(config)))
	if !bytes.Contains(mustRead(t, "hookgate.service"), []byte("\nStateDirectory=hookgate\n")) {
		t.Error("the unit has no folder for the database")
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return // what there is to check without systemd is checked
	}
	unit := filepath.Join(t.TempDir(), "hookgate.service")
	text := strings.ReplaceAll(string(mustRead(t, "hookgate.service")), "/usr/local/bin/hookgate", lab.Binary(t))
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput()
	if strings.Contains(string(out), unit) || strings.Contains(string(out), "hookgate.service:") {
		t.Errorf("systemd-analyze verify: %s", out)
	}
}
