package config_test

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/joho/godotenv"

	"hookgate/app/config"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// MustParse parses a config without faults.
func MustParse(t *testing.T, text string, env map[string]string) (*config.Config, *config.Report) {
	t.Helper()
	doc, report := config.Parse("dir/config.yaml", []byte(text), lookup(env))
	if len(report.List) > 0 {
		t.Fatal(report.List)
	}
	return doc, report
}

func TestParse_defaults(t *testing.T) {
	t.Parallel()
	// A section whose entries are all commented out is as good as none.
	doc, report := MustParse(t, "version: 1\nserver:\nstorage:\nretention:\noutbound:\nsources:\nforms:\nconnections:\nrules:\n", nil)
	want := config.Server{Listen: "127.0.0.1:8080", Timezone: "UTC", Location: time.UTC, Lang: "en", MaxBody: 10 << 20}
	if diff := cmp.Diff(want, doc.Server, cmp.Comparer(func(a, b *time.Location) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if doc.Storage.Path != filepath.Join("dir", "hookgate.db") {
		t.Errorf("storage.path: got %s", doc.Storage.Path)
	}
	if diff := cmp.Diff(config.Retention{Events: 90 * 24 * time.Hour, Submissions: 365 * 24 * time.Hour, Spam: 14 * 24 * time.Hour, Files: 180 * 24 * time.Hour}, doc.Retention); diff != "" {
		t.Error(diff)
	}
	if report.EnvNeeded != 0 || len(doc.Sources)+len(doc.Forms)+len(doc.Connections)+len(doc.Rules)+len(doc.Outbound.AllowPrivate) != 0 {
		t.Errorf("got %+v, %+v", doc, report)
	}
}

func TestParse_values(t *testing.T) {
	t.Parallel()
	doc, report := MustParse(t, `
version: 1
server:
  listen: ":${PORT}"
  public_url: https://hooks.example/base/
  timezone: Europe/Berlin
  lang: de-AT
  trusted_proxies: [127.0.0.1, "::ffff:10.0.0.0/104", fd00::/8]
  admin: { user: team, password: "${PASSWORD}" }
  max_body: 1MB
storage: { path: /var/lib/x.db }
retention: { events: 2w, submissions: 1h, spam: 1d12h }
outbound: { allow_private: [10.1.2.3/16] }
sources: { b: { type: x }, a: { type: x } }
forms: { c: {} }
connections:
  one:
    type: webhook
    timeout: 1m
    concurrency: ${MANY}
    rate_limit: 100/m
    retry: { for: 48h }
    url: https://${HOST}/
  two: { type: slack, retry: { delays: [5s, 1h] }, note: "$${HOST} $HOST $${{ x }} ${{ '${HOST}' }} ${NONE:-none}${EMPTY:-}" }
  three: { type: slack, retry: { delays: [] } }
rules:
  - { name: r, from: a, then: [{ to: two, text: "costs $${PRICE}, ${{ data.x }}" }] }
`, map[string]string{"PORT": "80", "PASSWORD": "long enough, is it not", "MANY": "12", "HOST": "a.example"})
	s := doc.Server
	if s.Listen != ":80" || s.PublicURL != "https://hooks.example/base" || s.Location.String() != "Europe/Berlin" || s.Lang != "de-AT" || s.MaxBody != 1<<20 ||
		s.Admin.User != "team" || s.Admin.Password.Reveal() != "long enough, is it not" {
		t.Errorf("server: got %+v", s)
	}
	compareAddr := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	wantProxies := config.Prefixes{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	if diff := cmp.Diff(wantProxies, s.TrustedProxies, compareAddr); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(config.Prefixes{netip.MustParsePrefix("10.1.0.0/16")}, doc.Outbound.AllowPrivate, compareAddr); diff != "" {
		t.Error(diff)
	}
	if doc.Storage.Path != "/var/lib/x.db" || doc.Retention != (config.Retention{Events: 14 * 24 * time.Hour, Submissions: time.Hour, Spam: 36 * time.Hour, Files: 180 * 24 * time.Hour}) {
		t.Errorf("got %+v, %+v", doc.Storage, doc.Retention)
	}
	if doc.Storage.Files != "/var/lib/x.db.files" {
		t.Errorf("files in %s, want them beside the database", doc.Storage.Files)
	}
	if doc.Storage.Lease != 30*time.Second {
		t.Errorf("got a lease of %s, want 30s where the file says nothing", doc.Storage.Lease)
	}
	if len(doc.Sources) != 2 || doc.Sources[0].Name.Value != "b" || doc.Sources[1].Node.Get("type").Text().Value != "x" || doc.Forms[0].Name.Value != "c" {
		t.Errorf("got %+v, %+v", doc.Sources, doc.Forms)
	}
	one, two, three := doc.Connections[0], doc.Connections[1], doc.Connections[2]
	if one.Type.Value != "webhook" || one.Timeout != time.Minute || one.Concurrency != 12 || one.RateLimit != (yamlnode.Rate{Count: 100, Per: time.Minute}) ||
		one.Retry.For != 48*time.Hour || one.Retry.Delays != nil || one.Node.Get("url").Text().Value != "https://a.example/" {
		t.Errorf("one: got %+v", one)
	}
	if two.Timeout != 15*time.Second || two.Concurrency != 8 || two.RateLimit.Count != 0 || len(two.Retry.Delays) != 2 || two.Retry.Delays[1] != time.Hour {
		t.Errorf("two: got %+v", two)
	}
	if got, want := two.Node.Get("note").Text().Value, "${HOST} $HOST $${{ x }} ${{ '${HOST}' }} none"; got != want {
		t.Errorf("two.note: got %q, want %q", got, want)
	}
	if three.Retry.Delays == nil {
		t.Error("three: delays: [] must differ from no delays")
	}
	if got, want := doc.Rules[0].Then[0].Inputs[0].Value.Text().Value, "costs ${PRICE}, ${{ data.x }}"; got != want {
		t.Errorf("rule: got %q, want %q", got, want)
	}
	if report.EnvNeeded != 4 || report.EnvSet != 4 {
		t.Errorf("got %d of %d variables", report.EnvSet, report.EnvNeeded)
	}
}

// The example at the top of the repository loads with the values that
// docs/env.example proposes, and asks for no others.
func TestLoad_example(t *testing.T) {
	t.Parallel()
	env, err := godotenv.Read("../../docs/env.example")
	if err != nil {
		t.Fatal(err)
	}
	doc, report := config.Load("../../config.yaml", lookup(env))
	if len(report.List) > 0 {
		t.Fatal(report.List)
	}
	if len(doc.Sources) != 2 || len(doc.Forms) != 2 || len(doc.Connections) != 4 || len(doc.Rules) != 7 || len(doc.Hash) != 7 {
		t.Errorf("got %+v", doc)
	}
	if report.EnvSet != report.EnvNeeded || report.EnvNeeded != len(env) {
		t.Errorf("%d of %d are set, the example has %d", report.EnvSet, report.EnvNeeded, len(env))
	}
}

// MustWrite writes files into a new folder and returns it.
func MustWrite(t *testing.T, files map[string]string, mode os.FileMode) string {
	t.Helper()
	folder := t.TempDir()
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // past the umask
			t.Fatal(err)
		}
	}
	return folder
}

func TestLoad_environment(t *testing.T) {
	t.Parallel()
	const file = "version: 1\nsources: { a: { type: x, token: \"${TOKEN}\" } }\n"
	for name, c := range map[string]struct {
		files   map[string]string
		process map[string]string
		want    string
		codes   string
	}{
		"process":               {process: map[string]string{"TOKEN": "p"}, want: "p"},
		"dotenv":                {files: map[string]string{".env": "# a\nexport TOKEN='d $x # \"'\n"}, want: `d $x # "`},
		"process before dotenv": {files: map[string]string{".env": "TOKEN=d\n"}, process: map[string]string{"TOKEN": "p"}, want: "p"},
		"empty before dotenv":   {files: map[string]string{".env": "TOKEN=d\n"}, process: map[string]string{"TOKEN": ""}, codes: "env-missing"},
		"file":                  {files: map[string]string{"t": "f\r\n"}, process: map[string]string{"TOKEN_FILE": "t"}, want: "f"},
		"file of dotenv":        {files: map[string]string{".env": "TOKEN_FILE=t", "t": "f\n"}, want: "f"},
		"value before file":     {files: map[string]string{"t": "f"}, process: map[string]string{"TOKEN": "p", "TOKEN_FILE": "t"}, want: "p"},
		"file before dotenv":    {files: map[string]string{".env": "TOKEN=d", "t": "f"}, process: map[string]string{"TOKEN_FILE": "t"}, want: "f"},
		"a value is never YAML": {process: map[string]string{"TOKEN": "{a: ${TOKEN}}"}, want: "{a: ${TOKEN}}"},
		"null stays a text":     {process: map[string]string{"TOKEN": "null"}, want: "null"},
		"file missing":          {process: map[string]string{"TOKEN_FILE": "t"}, codes: "env-missing"},
		"file empty":            {files: map[string]string{"t": "\n"}, process: map[string]string{"TOKEN_FILE": "t"}, codes: "env-missing"},
		"not set":               {codes: "env-missing"},
		"a mark before dotenv":  {files: map[string]string{".env": "\uFEFFTOKEN=d\n"}, want: "d"},
		"a mark before a file":  {files: map[string]string{"t": "\uFEFFf\n"}, process: map[string]string{"TOKEN_FILE": "t"}, want: "f"},
		"dotenv in UTF-16":      {files: map[string]string{".env": "\xff\xfeT\x00"}, codes: "env-file env-missing"},
		"file in UTF-16":        {files: map[string]string{"t": "\xff\xfef\x00"}, process: map[string]string{"TOKEN_FILE": "t"}, codes: "env-missing"},
		"line break of echo":    {process: map[string]string{"TOKEN": "p\r\n"}, want: "p"},
		"line break before":     {process: map[string]string{"TOKEN": "\np"}, want: "p"},
		"lines within":          {process: map[string]string{"TOKEN": "p\nq\n"}, want: "p\nq"},
		"blanks around":         {process: map[string]string{"TOKEN": " p\t\u00a0"}, want: "p", codes: "blanks-cut"},
		"blanks in dotenv":      {files: map[string]string{".env": "TOKEN=' d '\n"}, want: "d", codes: "blanks-cut"},
		"nothing but blanks":    {process: map[string]string{"TOKEN": " \n"}, codes: "env-missing"},
		"$ of dotenv":           {files: map[string]string{".env": "B=b\nTOKEN=\"a$B/${B}\"\n"}, want: "ab/b"},
		"$ in lower case":       {files: map[string]string{".env": "TOKEN=a$word\n"}, want: "a$word"},
		"$ escaped":             {files: map[string]string{".env": "TOKEN=\"a\\$WORD\"\n"}, want: "a$WORD"},
		"$ in single quotes":    {files: map[string]string{".env": "TOKEN='a$WORD'\n"}, want: "a$WORD"},
		"$ of nothing":          {files: map[string]string{".env": "TOKEN=s3cr3t$WORT1\n"}, codes: "env-file env-missing"},
		"$ of half a name":      {files: map[string]string{".env": "W=w\nTOKEN=s3cr3t$Word1\n"}, codes: "env-file env-missing"},
		"$ of a digit":          {files: map[string]string{".env": "TOKEN=\"$1s3cr3t\"\n"}, codes: "env-file env-missing"},
		"$ of a later line":     {files: map[string]string{".env": "TOKEN=${B}s3cr3t\nB=b\n"}, codes: "env-file env-missing"},
		"$ of the process":      {files: map[string]string{".env": "TOKEN=s3cr3t$HOME\n"}, process: map[string]string{"HOME": "/h"}, codes: "env-file env-missing"},
		"$ of what nobody asks": {files: map[string]string{".env": "TOKEN=d\nX=s3cr3t$WORT1\n"}, codes: "env-file"},
		"dotenv broken":         {files: map[string]string{".env": "A=1\nTOKEN='s3cr3t\n"}, codes: "env-file env-missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{"config.yaml": file}
			maps.Copy(files, c.files)
			doc, report := config.Load(filepath.Join(MustWrite(t, files, 0o600), "config.yaml"), lookup(c.process))
			if got := codes(report.List); got != c.codes {
				t.Fatalf("got %q, want %q: %v", got, c.codes, report.List)
			}
			if strings.Contains(report.List.Error(), "s3cr3t") {
				t.Errorf("a secret is shown: %v", report.List)
			}
			if got := doc.Sources[0].Node.Get("token").Text().Value; report.Err() == nil && got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func codes(list diag.List) string {
	var all []string
	for _, d := range list {
		all = append(all, d.Code)
	}
	return strings.Join(all, " ")
}

func TestLoad_brokenDotenvHasItsLine(t *testing.T) {
	t.Parallel()
	folder := MustWrite(t, map[string]string{"config.yaml": "version: 1\n", ".env": "A='x\ny'\nB C\nD=1\n"}, 0o600)
	_, report := config.Load(filepath.Join(folder, "config.yaml"), lookup(nil))
	if len(report.List) != 1 || report.List[0].Line != 3 || report.List[0].File != filepath.Join(folder, ".env") {
		t.Errorf("got %v", report.List)
	}
}

func TestLoad_fileMode(t *testing.T) {
	t.Parallel()
	for mode, want := range map[os.FileMode]string{0o600: "", 0o640: "", 0o644: "file-mode file-mode", 0o606: "file-mode file-mode"} {
		folder := MustWrite(t, map[string]string{
			"config.yaml": "version: 1\nsources: { a: { x: \"${A}\" } }\n", ".env": "A_FILE=s\n", "s": "secret",
		}, mode)
		_, report := config.Load(filepath.Join(folder, "config.yaml"), lookup(nil))
		if got := codes(report.List); got != want || report.Err() != nil {
			t.Errorf("%o: got %q, want %q: %v", mode, got, want, report.List)
		}
	}
}

func TestLoad_noFile(t *testing.T) {
	t.Parallel()
	for _, path := range []string{filepath.Join(t.TempDir(), "none.yaml"), t.TempDir()} {
		if doc, report := config.Load(path, lookup(nil)); doc != nil || codes(report.List) != "no-file" || strings.Count(report.List.Error(), path) != 1 {
			t.Errorf("got %v, %v", doc, report.List)
		}
	}
}

func TestParse_hash(t *testing.T) {
	t.Parallel()
	one, _ := MustParse(t, "version: 1\n", nil)
	two, _ := MustParse(t, "version: 1\n# a\n", nil)
	again, _ := MustParse(t, "version: 1\n", nil)
	if one.Hash == two.Hash || one.Hash != again.Hash || len(one.Hash) != 7 {
		t.Errorf("got %s, %s, %s", one.Hash, two.Hash, again.Hash)
	}
}
