package cli_test

import (
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsage(t *testing.T) {
	t.Parallel()
	empty := writeConfig(t, "version: 1\n")
	missing := filepath.Join(t.TempDir(), "none.yaml")
	tests := []struct {
		args   string
		code   int
		errOut string // a part of it
	}{
		{"evnts", 2, "hookgate has no command \"evnts\"\n  did you mean \"events\"?"},
		{"events", 2, "say which: hookgate events export, hookgate events list, hookgate events replay, hookgate events send, hookgate events show, hookgate events tail"},
		{"events lst", 2, "hookgate events has no command \"lst\"\n  did you mean \"list\"?"},
		{"events list --sauce x", 2, "unknown flag: --sauce\n  see hookgate events list --help"},
		{"events list extra", 2, "hookgate events list wants no arguments"},
		{"events list --state lost", 2, "there is no state \"lost\"\n  the states are routed, no_match, rule_error, rejected, duplicate, spam"},
		{"events list --since yesterday", 2, `--since: "yesterday" is no time`},
		{"events list --since -5m", 2, `--since: a duration cannot be negative`},
		{"events list --since 99999999999h", 2, `--since: this is too long, a duration is at most 36500d`},
		{"events list --limit many", 2, "invalid argument \"many\""},
		{"events list --limit 0", 2, "--limit must be at least 1"},
		{"deliveries list --limit -1", 2, "--limit must be at least 1"},
		{"demo --json", 2, "demo tells its story to people and has no JSON"},
		{"events list --before dlv_", 2, "not a valid id"},
		{"events show", 2, "hookgate events show wants the id of an event"},
		{"events show evt_!", 2, "not a valid id"},
		{"events send shop", 2, "say which file to send, or - for stdin"},
		{"events send shop /nowhere/sample.json", 2, "no such file"},
		{"events send shop - --set a", 2, "write path=value"},
		{"deliveries show dlv", 2, "not a valid id"},
		{"deliveries retry", 2, "say which deliveries"},
		{"deliveries retry --dry-run", 2, "say which deliveries"},
		{"deliveries retry dlv_7q4 --failed", 2, "ids or flags that select, not both"},
		{"deliveries retry --failed --state retrying", 2, "give --failed or --state, not both"},
		{"deliveries retry --state delivered", 2, "there is no state \"delivered\""},
		{"deliveries cancel --failed", 2, "unknown flag: --failed"},
		{"deliveries cancel --state failed", 2, "the states are retrying, waiting"},
		{"serve --log-format xml -c " + empty, 2, "--log-format is json, text or auto"},
		{"check a.yaml b.yaml", 2, "hookgate check wants one config file at the most"},
		{"help evnts", 2, "hookgate has no command \"evnts\"\n  did you mean \"events\"?"},
		{"help events lst", 2, "hookgate events has no command \"lst\""},
		{"forms notspam", 2, "say which posts\n  hookgate events list --state spam shows the ids"},
		{"forms notspam dlv_", 2, "not a valid id"},
		{"forms snippet", 2, "hookgate forms snippet wants the name of a form"},
		{"forms snippet contact --html --fetch", 2, "give one of --html, --fetch, --wordpress and --cf7"},
		{"forms snippet contact -c " + empty, 5, "the config has no form \"contact\""},
		{"forms list --since yesterday -c " + empty, 2, `--since: "yesterday" is no time`},
		{"completion", 2, "say which: hookgate completion bash"},
		{"completion bsh", 2, "hookgate completion has no command \"bsh\"\n  did you mean \"bash\"?"},
		{"check -c " + missing, 3, "can't be read"},
		{"events list -c " + missing, 3, "can't be read"},
		{"events list -c " + empty, 4, "no running server answers"},
		{"reload -c " + empty, 4, "no running server answers"},
		{"sources url shop -c " + empty, 5, "no source or form \"shop\""},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			got := runWith(t, "{}", strings.Fields(tt.args)...)
			if got.code != tt.code || !strings.Contains(got.errOut, tt.errOut) {
				t.Errorf("exit %d, stderr %q\nwant %d, %q", got.code, got.errOut, tt.code, tt.errOut)
			}
			if got.out != "" {
				t.Errorf("stdout %q, want nothing", got.out)
			}
		})
	}
}

func TestServerErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		answer answer
		code   int
		errOut string
	}{
		{"not found", answer{http.StatusNotFound, `{"title":"Not Found","status":404,"detail":"there is no event evt_7q2"}`}, 5, "there is no event evt_7q2"},
		{"login", answer{http.StatusUnauthorized, `{"title":"Unauthorized","status":401}`}, 4, "the login was refused"},
		{"fault", answer{http.StatusServiceUnavailable, `{"title":"Service Unavailable","status":503,"detail":"the store is unavailable"}`}, 1, "the store is unavailable"},
		{"no API", answer{http.StatusBadGateway, `<html>`}, 4, "no hookgate API"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := serveAPI(t, map[string][]answer{"GET /api/v1/events/evt_7q2": {tt.answer}})
			got := f.run(t, "events", "show", "evt_7q2")
			if got.code != tt.code || !strings.Contains(got.errOut, tt.errOut) {
				t.Errorf("exit %d, stderr %q; want %d, %q", got.code, got.errOut, tt.code, tt.errOut)
			}
		})
	}
}

func TestRemote(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var user, password, authorization string
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ = r.BasicAuth()
		authorization = r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`{"items":[]}`))
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	t.Setenv("HOOKGATE_URL", "http://"+l.Addr().String())

	if got := run(t, "events", "list"); got.code != 2 || !strings.Contains(got.errOut, "HOOKGATE_LOGIN") {
		t.Errorf("without a login: %+v", got)
	}
	t.Setenv("HOOKGATE_LOGIN", "team:secret:with:colons")
	if got := run(t, "events", "list"); got.code != 0 {
		t.Errorf("with a login: %+v", got)
	}
	if user != "team" || password != "secret:with:colons" {
		t.Errorf("logged in as %s:%s", user, password)
	}
	t.Setenv("HOOKGATE_TOKEN", "hgt_secret")
	if got := run(t, "events", "list"); got.code != 2 || strings.Contains(got.errOut, "secret") {
		t.Errorf("with a login and a token: %+v", got)
	}
	t.Setenv("HOOKGATE_LOGIN", "")
	if got := run(t, "events", "list"); got.code != 0 || authorization != "Bearer hgt_secret" {
		t.Errorf("with a token: %+v, %q", got, authorization)
	}
	t.Setenv("HOOKGATE_TOKEN", "hgt_sec\nret")
	if got := run(t, "events", "list"); got.code != 2 || strings.Contains(got.errOut, "sec") {
		t.Errorf("with half a token: %+v", got)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"help": {"--help"}, "help_deliveries_retry": {"deliveries", "retry", "--help"}, "help_events": {"help", "events"},
	} {
		got := run(t, args...)
		if got.code != 0 || got.errOut != "" {
			t.Errorf("%v: %+v", args, got)
		}
		golden(t, name, got.out)
	}
	if bare := run(t); bare.code != 0 || bare.out != run(t, "--help").out {
		t.Errorf("without arguments: %+v, want the help", bare)
	}
}

func TestCheckWithoutAnyConfig(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HOOKGATE_CONFIG", "")
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	if got := run(t, "check"); got.code != 3 || got.out != "" || !strings.Contains(got.errOut, "there is no config.yaml") {
		t.Errorf("check: %+v", got)
	}
	got := run(t, "check", "--json")
	var result struct {
		OK          bool
		Diagnostics []struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(got.out), &result); err != nil || got.code != 3 || result.OK ||
		len(result.Diagnostics) != 1 || result.Diagnostics[0].Code != "no-file" {
		t.Errorf("check --json: %v: %+v", err, got)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	flag, command := run(t, "--version"), run(t, "version")
	if flag.code != 0 || command.code != 0 {
		t.Fatalf("%+v, %+v", flag, command)
	}
	if short := strings.TrimSpace(flag.out); !strings.HasPrefix(short, "hookgate ") || !strings.HasPrefix(command.out, short+" (go") {
		t.Errorf("--version %q, version %q", flag.out, command.out)
	}
	if got := run(t, "version", "--json"); !strings.Contains(got.out, `"version": `) {
		t.Errorf("--json: %q", got.out)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if got := run(t, "completion", shell); got.code != 0 || !strings.Contains(got.out, "hookgate") {
			t.Errorf("%s: exit %d, %d bytes", shell, got.code, len(got.out))
		}
	}
	tests := map[string]string{
		"e":                        "events\t",
		"events l":                 "list\t",
		"events list --state r":    "routed\n",
		"deliveries list --state ": "waiting\nsending\nretrying\nheld\ndelivered\nfailed\ncancelled\n",
		"serve --log-format ":      "json\ntext\nauto\n",
	}
	for line, want := range tests {
		args := append([]string{"__complete"}, strings.Split(line, " ")...)
		if got := run(t, args...); got.code != 0 || !strings.Contains(got.out, want) {
			t.Errorf("%q completes to %q, want %q in it", line, got.out, want)
		}
	}
}
