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

// broken is a stream that ends with an error.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errTake }
