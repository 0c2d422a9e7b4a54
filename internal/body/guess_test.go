package body_test

import (
	"testing"

	"hookgate/internal/body"
)

func TestGuessType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, content, want string }{
		{"a.json", `{"a":1}`, "application/json"},
		{"a.json", `{"a":1,}`, "application/json"},
		{"-", `{"a":1,}`, "application/json"},
		{"-", "", "application/json"},
		{"a.txt", "hello you", "text/plain"},
		{"a.txt", `{"a":`, "application/json"},
		{"a.xml", "", "application/xml"},
		{"-", " <a/>", "application/xml"},
		{"a.form", "a=1", "application/x-www-form-urlencoded"},
		{"-", "a=1&b=x+y%20", "application/x-www-form-urlencoded"},
		{"-", "--abc\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--abc--\r\n", `multipart/form-data; boundary="abc"`},
	} {
		if got := body.GuessType(c.name, []byte(c.content)); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.name, c.content, got, c.want)
		}
	}
}
