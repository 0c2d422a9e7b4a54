package body_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/body"
)

const uploadBody = "--B\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n" +
	"--B\r\nContent-Disposition: form-data; name=\"brief\"; filename=\"a.pdf\"\r\nContent-Type: text/html\r\n\r\n0123456789\r\n" +
	"--B\r\nContent-Disposition: form-data; name=\"empty\"; filename=\"\"\r\n\r\n\r\n" +
	"--B\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nHi\r\n--B--\r\n"

func readUpload(text string, change func(*body.Upload)) ([]body.Field, error) {
	u := body.Upload{
		ContentType: "multipart/form-data; boundary=B", Content: strings.NewReader(text), Size: 1 << 20, Text: 1 << 10,
		Take: func(p body.FilePart) (any, error) {
			content, err := io.ReadAll(io.LimitReader(p.Content, 4))
			return p.Name + "=" + string(content), err
		},
		Grow: func(int64) error { return nil },
	}
	if change != nil {
		change(&u)
	}
	return body.ReadUpload(u, body.DefaultLimits())
}

// Fields come in their order; what Take leaves of a file is passed over.
func TestReadUpload(t *testing.T) {
	t.Parallel()
	got, err := readUpload(uploadBody, func(u *body.Upload) { u.Content = iotest.OneByteReader(u.Content) })
	if err != nil {
		t.Fatal(err)
	}
	want := []body.Field{
		{Name: "name", Value: "Ada"}, {Name: "brief", Value: "a.pdf=0123", File: true}, {Name: "empty", Value: "=", File: true}, {Name: "message", Value: "Hi"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

var errTake = errors.New("disk full")

func TestReadUpload_refused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text   string
		change func(*body.Upload)
		status int
	}{
		"too large":           {uploadBody, func(u *body.Upload) { u.Size = 100 }, http.StatusRequestEntityTooLarge},
		"too much text":       {uploadBody, func(u *body.Upload) { u.Text = 4 }, http.StatusRequestEntityTooLarge},
		"cut in a file":       {uploadBody[:200], nil, http.StatusBadRequest},
		"cut in a text":       {uploadBody[:len(uploadBody)-12], nil, http.StatusBadRequest},
		"cut between parts":   {uploadBody[:len(uploadBody)-len("--B--\r\n")], nil, http.StatusBadRequest},
		"empty":               {"", nil, http.StatusBadRequest},
		"no boundary":         {uploadBody, func(u *body.Upload) { u.ContentType = "multipart/form-data" }, http.StatusBadRequest},
		"compressed":          {uploadBody, func(u *body.Upload) { u.ContentEncoding = "gzip" }, http.StatusUnsupportedMediaType},
		"no multipart":        {uploadBody, func(u *body.Upload) { u.ContentType = "text/plain" }, http.StatusUnsupportedMediaType},
		"a part without name": {"--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--\r\n", nil, http.StatusBadRequest},
		"too many parts":      {strings.Repeat("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n", 1001) + "--B--\r\n", nil, http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readUpload(c.text, c.change)
			fault := (*body.Error)(nil)
			if !errors.As(err, &fault) || fault.Status != c.status {
				t.Errorf("got %v, want status %d", err, c.status)
			}
		})
	}
	if _, err := readUpload(uploadBody, func(u *body.Upload) {
		u.Take = func(body.FilePart) (any, error) { return nil, errTake }
	}); !errors.Is(err, errTake) {
		t.Errorf("an error of Take became %v", err)
	}
	if _, err := readUpload(uploadBody, func(u *body.Upload) {
		u.Content = io.MultiReader(strings.NewReader(uploadBody[:150]), broken{})
	}); !errors.Is(err, errTake) {
		t.Errorf("an error of the stream became %v", err)
	}
}

// What is no file takes memory, as it is read; a file takes none.
func TestReadUpload_grows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		disposition string
		least, most int64
	}{
		"a text": {`name="a"`, 3 << 20, 4 << 20},
		"a file": {`name="a"; filename="a.pdf"`, 1, 10_000},
	} {
		text := "--B\r\nContent-Disposition: form-data; " + c.disposition + "\r\n\r\n" + strings.Repeat("x", 1<<20) + "\r\n--B--\r\n"
		read := func(most int64) (held int64, err error) {
			_, err = readUpload(text, func(u *body.Upload) {
				u.Size, u.Text = 2<<20, 2<<20
				u.Grow = func(n int64) error {
					if held += n; held > most {
						return errTake
					}
					return nil
				}
			})
			return held, err
		}
		if held, err := read(1 << 30); err != nil || held < c.least || held > c.most {
			t.Errorf("%s took %d bytes, %v, want %d to %d", name, held, err, c.least, c.most)
		}
		if held, err := read(1 << 20); c.least > 1<<20 && (!errors.Is(err, errTake) || held > 3<<19) {
			t.Errorf("%s: %v after %d bytes, want the error of Grow", name, err, held)
		}
	}
}

// A field's name is bounded before it takes memory, and takes what it is long;
// brackets count as far as names are taken apart.
// Negative control: names of any length, each of which takes 3,000 bytes.
func TestReadUpload_names(t *testing.T) {
	t.Parallel()
	read := func(name string, most int) (held int64, err error) {
		text := "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"a.pdf\"\r\n\r\nx\r\n--B--\r\n"
		_, err = readUpload(text, func(u *body.Upload) {
			u.Name = most
			u.Grow = func(n int64) error { held += n; return nil }
		})
		return held, err
	}
	if held, err := read(strings.Repeat("x", 256), 256); err != nil || held > 5000 {
		t.Errorf("at the limit: %d bytes, %v", held, err)
	}
	held, err := read(strings.Repeat("x", 257), 256)
	if fault := (*body.Error)(nil); !errors.As(err, &fault) || fault.Status != http.StatusRequestEntityTooLarge || held != 0 {
		t.Errorf("beyond the limit: %d bytes, %v", held, err)
	}
	if held, err := read(strings.Repeat("x", 100_000), 0); err != nil || held < 300_000 {
		t.Errorf("without a limit: %d bytes, %v", held, err)
	}
	if held, err := read("x"+strings.Repeat("[", 250), 256); err != nil || held > 40_000 {
		t.Errorf("brackets: %d bytes, %v", held, err)
	}
}

// broken is a stream that ends with an error.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errTake }
