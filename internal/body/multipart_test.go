package body_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hookgate/internal/body"
)

// MustMultipart encodes fields; a name that ends in .file is sent as a file.
func MustMultipart(t fataler, fields ...[2]string) body.Input {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		header := textproto.MIMEHeader{}
		name := strings.NewReplacer("\\", "\\\\", `"`, "\\\"").Replace(f[0])
		disposition := fmt.Sprintf(`form-data; name="%s"`, name)
		if file, ok := strings.CutSuffix(name, ".file"); ok {
			disposition = fmt.Sprintf(`form-data; name="%s"; filename="C:\\fakepath/../%s.pdf"`, file, file)
			header.Set("Content-Type", "application/pdf")
		}
		header.Set("Content-Disposition", disposition)
		part, err := w.CreatePart(header)
		if err == nil {
			_, err = part.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatalf("%v", err)
	}
	return body.Input{ContentType: w.FormDataContentType(), Raw: b.Bytes()}
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	in := MustMultipart(t, [2]string{"formID", "7"}, [2]string{"rawRequest", `{"q1":"x"}`}, [2]string{"topic[]", "a"}, [2]string{"topic[]", "b"},
		[2]string{"grüße", "ü"}, [2]string{"brief.file", "%PDF"}, [2]string{"brief.file", "%PDF-2"})
	c, err := decode(in)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Doc.Release()
	want := `{"formID":"7","rawRequest":"{\"q1\":\"x\"}","topic":["a","b"],"grüße":"ü","brief":[` +
		`{"filename":"brief.pdf","type":"application/pdf","size":4},{"filename":"brief.pdf","type":"application/pdf","size":6}]}`
	if diff := cmp.Diff(want, string(c.JSON)); diff != "" || c.Files != 2 {
		t.Error(c.Files, diff)
	}
}

func TestBrokenMultipart(t *testing.T) {
	t.Parallel()
	whole := MustMultipart(t, [2]string{"a", "1"}, [2]string{"b", "2"})
	for name, raw := range map[string]string{
		"cut":     string(whole.Raw[:len(whole.Raw)-20]),
		"junk":    "not multipart at all",
		"no name": strings.Replace(string(whole.Raw), `name="a"`, `nome="a"`, 1),
	} {
		fault := MustFail(t, body.Input{ContentType: whole.ContentType, Raw: []byte(raw)})
		if fault.Status != 400 {
			t.Errorf("%s: %+v", name, fault)
		}
	}
	if got := MustDecode(t, body.Input{ContentType: whole.ContentType}); got != "{}" {
		t.Error(got)
	}
}

func TestPartCharset(t *testing.T) {
	t.Parallel()
	raw := "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n\xfc\r\n--b--\r\n"
	if got := MustDecode(t, body.Input{ContentType: "multipart/form-data; boundary=b", Raw: []byte(raw)}); got != `{"a":"ü"}` {
		t.Error(got)
	}
}

func FuzzMultipart(f *testing.F) {
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--\r\n"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name=a; filename=x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=3D\r\n--b--"))
	f.Add([]byte("--b\r\nContent-Disposition: form-data; name*=utf-8''%e4\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n\xff\xfe\r\n--b\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkDecode(t, body.Input{ContentType: "multipart/form-data; boundary=b", Raw: raw})
	})
}
