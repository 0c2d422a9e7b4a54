//go:build linux

package cli_test

import (
	"bufio"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"hookgate/app/cli"
)

// openTerminal gives the two ends of a pseudo-terminal.
func openTerminal(t *testing.T) (user, program *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = program.Close() })
	return user, program
}

// readUntil reads what the program writes up to and with the text end.
func readUntil(t *testing.T, r *bufio.Reader, end string) string {
	t.Helper()
	var b strings.Builder
	for !strings.HasSuffix(b.String(), end) {
		c, err := r.ReadByte()
		if err != nil {
			t.Fatalf("%v after %q", err, b.String())
		}
		b.WriteByte(c)
	}
	return b.String()
}

// These tests set the environment, so they run one after the other.
func TestPrompt(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	t.Setenv("NO_COLOR", "")
	const found = `{"count":412,"keyed":161,"keys":40}`
	for typed, requests := range map[string]int{"y\n": 2, "YES\n": 2, "n\n": 1, "\n": 1, "\x04": 1} {
		user, program := openTerminal(t)
		f := serveAPI(t, map[string][]answer{"POST /api/v1/deliveries/retry": {{http.StatusOK, found}, {http.StatusOK, found}}})
		code := make(chan int, 1)
		go func() {
			code <- cli.Run(t.Context(), []string{"-c", f.config, "deliveries", "retry", "--failed"}, program, program, program)
		}()
		shown := readUntil(t, bufio.NewReader(user), "[y/N] ")
		want := "412 failed deliveries match, 161 of them under 40 ordering keys.\r\nSend the same requests again? [y/N] "
		if shown != want {
			t.Errorf("shown %q, want %q", shown, want)
		}
		if _, err := user.WriteString(typed); err != nil {
			t.Fatal(err)
		}
		if got := <-code; got != 0 {
			t.Errorf("%q: exit %d", typed, got)
		}
		if got := len(f.got()); got != requests {
			t.Errorf("%q: %d requests, want %d", typed, got, requests)
		}
	}
}

func TestColor(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		args []string
		want bool
	}{
		{"a terminal", nil, nil, true},
		{"NO_COLOR", map[string]string{"NO_COLOR": "yes please"}, nil, false},
		{"TERM=dumb", map[string]string{"TERM": "dumb"}, nil, false},
		{"--no-color", nil, []string{"--no-color"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TERM", "xterm-256color")
			t.Setenv("NO_COLOR", "")
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			user, program := openTerminal(t)
			f := serveAPI(t, map[string][]answer{"GET /api/v1/deliveries/dlv_7q4": {{http.StatusOK, fixture(t, "delivery.json")}}})
			code := make(chan int, 1)
			go func() {
				code <- cli.Run(t.Context(), append([]string{"-c", f.config, "deliveries", "show", "dlv_7q4"}, tt.args...), program, program, program)
			}()
			shown := readUntil(t, bufio.NewReader(user), "evt_7q2\r\n")
			if got := strings.Contains(shown, "\x1b["); got != tt.want {
				t.Errorf("colour %v, want %v: %q", got, tt.want, shown)
			}
			if got := <-code; got != 0 {
				t.Errorf("exit %d", got)
			}
		})
	}
}

// init asks until an answer can be used; what is typed ahead is not lost.
func TestInit_questions(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	user, program := openTerminal(t)
	folder := t.TempDir() + "/hooks"
	code := make(chan int, 1)
	go func() { code <- cli.Run(t.Context(), []string{"init", folder}, program, program, program) }()
	typed := bufio.NewReader(user)
	readUntil(t, typed, "[sitejet] ")
	_, _ = user.WriteString("guthub\ngithub\nhooks.example\n") // two of them cannot be used
	readUntil(t, typed, `did you mean "github"?`)
	readUntil(t, typed, "write it like https://")
	readUntil(t, typed, "Public URL: ")
	_, _ = user.WriteString("https://hooks.invalid/\n")
	readUntil(t, typed, "Slack: ")
	_, _ = user.WriteString("https://hooks.slack.com/services/T0/B0/x\n")
	readUntil(t, typed, "hooks.invalid does not resolve here")
	if got := <-code; got != 0 {
		t.Fatalf("exit %d", got)
	}
	config, err := os.ReadFile(folder + "/config.yaml")
	env, err2 := os.ReadFile(folder + "/.env")
	if err != nil || err2 != nil || !strings.Contains(string(config), "public_url: https://hooks.invalid\n") ||
		!strings.Contains(string(config), "expect: [announce-push/slack]") || !strings.Contains(string(env), "SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T0/B0/x\n") {
		t.Errorf("%v %v\n%s\n%s", err, err2, config, env)
	}
	if got := run(t, "test", "-c", folder+"/config.yaml"); got.code != 0 {
		t.Errorf("test: %+v", got)
	}
}
