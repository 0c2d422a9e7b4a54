package forms_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"hookgate/forms"
	"hookgate/internal/body"
)

const withFiles = `
fields:
  name:   { type: text, required: true }
  brief:  { type: file, accept: [pdf, .docx, jpg], max_size: 2MB, required: true }
  photos: { type: file, accept: "image/*", multiple: true, max_files: 2 }
  any:    { type: file }
`

// The first bytes of some kinds of file.
const (
	pdf  = "%PDF-1.7\n1 0 obj"
	png  = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	jpg  = "\xff\xd8\xff\xe0\x00\x10JFIF"
	exe  = "MZ\x90\x00\x03\x00\x00\x00"
	svg  = `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
	page = `<!doctype html><script>alert(1)</script>`
)

func mustRule(t *testing.T, f *forms.Form, field string) forms.FileRule {
	t.Helper()
	rule, ok := f.FileRule(field)
	if !ok {
		t.Fatalf("%s is no file field", field)
	}
	return rule
}

// The content decides, whatever the sender calls the file.
func TestFileRule_Judge(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, withFiles)
	for name, c := range map[string]struct {
		field, content, sent string
		name, mediaType      string
		code                 forms.Code
	}{
		"as it says":            {"brief", pdf, "plan.pdf", "plan.pdf", "application/pdf", ""},
		"other spelling":        {"brief", jpg, "IMG_1.JPEG", "IMG_1.JPEG", "image/jpeg", ""},
		"a program as a PDF":    {"brief", exe, "plan.pdf", "plan.pdf", "application/vnd.microsoft.portable-executable", forms.FileType},
		"a page as a PDF":       {"brief", page, "plan.pdf", "plan.pdf", "text/html", forms.FileType},
		"a PDF as a program":    {"brief", pdf, "setup.exe", "setup.exe.pdf", "application/pdf", ""},
		"a PDF without a name":  {"brief", pdf, "blob", "blob.pdf", "application/pdf", ""},
		"an image as a PDF":     {"brief", jpg, "plan.pdf", "plan.pdf.jpg", "image/jpeg", ""},
		"not accepted":          {"brief", png, "a.png", "a.png", "image/png", forms.FileType},
		"empty":                 {"brief", "", "plan.pdf", "plan.pdf", "", forms.FileEmpty},
		"any image":             {"photos", png, "a.png", "a.png", "image/png", ""},
		"an image by its kind":  {"photos", png, "a", "a.png", "image/png", ""},
		"a drawing is no image": {"photos", svg, "a.svg", "a.svg", "image/svg+xml", forms.FileType},
		"anything":              {"any", exe, "setup.exe", "setup.exe", "application/vnd.microsoft.portable-executable", ""},
		"brackets":              {"photos[]", png, "a.png", "a.png", "image/png", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, mediaType, code, whole := mustRule(t, f, c.field).Judge([]byte(c.content), c.sent)
			if got != c.name || mediaType != c.mediaType || code != c.code || whole {
				t.Errorf("got %q, %q, %q, want %q, %q, %q", got, mediaType, code, c.name, c.mediaType, c.code)
			}
		})
	}
	if _, ok := f.FileRule("name"); ok {
		t.Error("a text field takes files")
	}
}

// archive is a ZIP file with these parts, each a name and its content.
func archive(t *testing.T, parts ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		part, err := w.Create(parts[i])
		if err == nil {
			_, err = part.Write([]byte(parts[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What an archive is, the directory at its end says, once all of it is there.
func TestFileRule_Inspect(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, `fields: { docx: { type: file, accept: [docx] }, office: { type: file, accept: [xlsx, pptx, odt] }, zip: { type: file, accept: [zip] }, epub: { type: file, accept: [epub] }, any: { type: file } }`)
	types := func(main, kind string) string {
		return `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/` + main + `" ContentType="` + kind + `"/></Types>`
	}
	const word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	const sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	const slides = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
	const odt = "application/vnd.oasis.opendocument.text"
	letter := archive(t, "[Content_Types].xml", types("word/document2.xml", word+".main+xml"), "_rels/.rels", "x", "word/document2.xml", "x")
	many := []string{"[Content_Types].xml", types("word/document.xml", word+".main+xml"), "word/document.xml", "x"}
	for i := range 6000 {
		many = append(many, fmt.Sprintf("part-with-a-name-of-some-length-%d-%s", i, strings.Repeat("x", 60)), "")
	}
	for name, c := range map[string]struct {
		field, content, sent string
		name, mediaType      string
		code                 forms.Code
	}{
		"a Word file":                 {"docx", letter, "letter.docx", "letter.docx", word, ""},
		"with another name":           {"docx", letter, "letter.exe", "letter.exe.docx", word, ""},
		"parts in another order":      {"docx", archive(t, "docProps/app.xml", "x", "word/document2.xml", "x", "[Content_Types].xml", types("word/document2.xml", word+".main+xml")), "a.docx", "a.docx", word, ""},
		"any archive":                 {"docx", archive(t, "../../../evil.sh", "x", "run.exe", "MZ"), "cv.docx", "cv.docx", "application/zip", forms.FileType},
		"looks like one at its start": {"docx", archive(t, "[Content_Types].xml", "x", "_rels/.rels", "x", "word/document.xml", "x"), "cv.docx", "cv.docx", "application/zip", forms.FileType},
		"a program in Java":           {"docx", archive(t, "META-INF/MANIFEST.MF", "x", "A.class", "y"), "x.docx", "x.docx", "application/java-archive", forms.FileType},
		"a part that is not there":    {"docx", archive(t, "[Content_Types].xml", types("word/document.xml", word+".main+xml"), "run.exe", "MZ"), "cv.docx", "cv.docx", "", forms.FileType},
		"with macros":                 {"docx", archive(t, "[Content_Types].xml", types("word/document.xml", "application/vnd.ms-word.document.macroEnabled.main+xml"), "word/document.xml", "x", "word/vbaProject.bin", "x"), "a.docx", "a.docx", "", forms.FileType},
		"a table":                     {"docx", archive(t, "[Content_Types].xml", types("xl/workbook.xml", sheet+".main+xml"), "xl/workbook.xml", "x"), "a.docx", "a.docx.xlsx", sheet, forms.FileType},
		"cut off":                     {"docx", letter[:len(letter)-30], "a.docx", "a.docx", "application/zip", forms.FileType},
		"a huge directory":            {"docx", archive(t, many...), "a.docx", "a.docx", "", forms.FileType},
		"xlsx":                        {"office", archive(t, "[Content_Types].xml", types("xl/workbook.xml", sheet+".main+xml"), "xl/workbook.xml", "x"), "a.xlsx", "a.xlsx", sheet, ""},
		"xlsm":                        {"office", archive(t, "[Content_Types].xml", "x", "xl/vbaProject.bin", "y"), "x.xlsm", "x.xlsm", "", forms.FileType},
		"pptx":                        {"office", archive(t, "[Content_Types].xml", types("ppt/presentation.xml", slides+".main+xml"), "ppt/presentation.xml", "x"), "a", "a.pptx", slides, ""},
		"odt":                         {"office", archive(t, "mimetype", odt, "content.xml", "x"), "a.odt", "a.odt", odt, ""},
		"odt without a text":          {"office", archive(t, "mimetype", odt, "run.exe", "x"), "a.odt", "a.odt", "application/zip", forms.FileType},
		"a drawing":                   {"office", archive(t, "mimetype", "application/vnd.oasis.opendocument.graphics", "content.xml", "x"), "a.odt", "a.odt", "", forms.FileType},
		"a book":                      {"epub", archive(t, "mimetype", "application/epub+zip", "META-INF/container.xml", "x"), "a.epub", "a.epub", "application/epub+zip", ""},
		"an archive":                  {"zip", archive(t, "a.txt", "x"), "a.zip", "a.zip", "application/zip", ""},
		"a Word file as any":          {"any", letter, "letter.docx", "letter.docx", word, ""},
		"an archive as any":           {"any", archive(t, "a.txt", "x"), "a.zip", "a.zip", "application/zip", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule := mustRule(t, f, c.field)
			head := c.content[:min(len(c.content), rule.SniffLength())]
			_, sniffed, code, whole := rule.Judge([]byte(head), c.sent)
			if code != "" || !whole {
				t.Fatalf("decided by its first bytes: %q, whole %t", code, whole)
			}
			got, mediaType, code := rule.Inspect(strings.NewReader(c.content), int64(len(c.content)), c.sent, sniffed)
			if code != c.code || code == "" && (got != c.name || mediaType != c.mediaType) {
				t.Errorf("got %q, %q, %q, want %q, %q, %q", got, mediaType, code, c.name, c.mediaType, c.code)
			}
		})
	}
	brief := mustRule(t, mustCompile(t, "fields: { f: { type: file, accept: [pdf] } }"), "f")
	if _, _, code, whole := brief.Judge([]byte(letter), "a.pdf"); code != forms.FileType || whole {
		t.Errorf("where no archive is taken, one is read to its end: %q", code)
	}
}

// Promise: T7.
func TestCleanFileName(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"plan.pdf":                        "plan.pdf",
		"Übersicht 日本.pdf":                "Übersicht 日本.pdf",
		"../../etc/passwd":                "passwd",
		`C:\Users\Ada\plan.pdf`:           "plan.pdf",
		"..":                              "file",
		"":                                "file",
		"Pr\xfcfung B\xe9la.pdf":          "Prüfung Béla.pdf", // of a page in windows-1252
		"\xfc.txt":                        "ü.txt",
		"\x81\x8d":                        "file",
		"a\x00b\r\nc\x1b[31m.pdf":         "abc[31m.pdf",
		"invoice\u202efdp.exe":            "invoicefdp.exe",
		`<img src=x onerror="x">.png`:     "img src=x onerror=x.png",
		".htaccess":                       "htaccess",
		"con|in?fo*.txt":                  "coninfo.txt",
		strings.Repeat("ä", 200) + ".pdf": strings.Repeat("ä", 73) + ".pdf",
	} {
		if got := forms.CleanFileName(sent); got != want {
			t.Errorf("%q: got %q, want %q", sent, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		got := forms.CleanFileName(rapid.String().Draw(t, "sent"))
		if got == "" || len(got) > 150 || !utf8.ValidString(got) || strings.ContainsAny(got, "/\\\x00\r\n\"") || strings.HasPrefix(got, ".") {
			t.Errorf("got %q", got)
		}
		if again := forms.CleanFileName(got); again != got {
			t.Errorf("%q becomes %q", got, again)
		}
	})
}

func upload(name string) forms.Upload {
	return forms.Upload{ID: "fil_" + name, Name: name, Type: "application/pdf", Size: 9007199254740993, SHA256: "ab"}
}

func file(name string, value any) body.Field { return body.Field{Name: name, Value: value, File: true} }

func TestSubmit_files(t *testing.T) {
	t.Parallel()
	const brief = `{"id":"fil_a.pdf","name":"a.pdf","sha256":"ab","size":9007199254740993,"type":"application/pdf"}`
	ada := body.Field{Name: "name", Value: "Ada"}
	for name, c := range map[string]struct {
		posted   []body.Field
		data     string
		problems []forms.Problem
		uploads  int
	}{
		"one":      {[]body.Field{ada, file("brief", upload("a.pdf"))}, `{"name":"Ada","brief":` + brief + `,"photos":[]}`, nil, 1},
		"multiple": {[]body.Field{ada, file("brief", upload("a.pdf")), file("photos[]", upload("a.pdf")), file("photos[]", upload("a.pdf"))}, `{"name":"Ada","brief":` + brief + `,"photos":[` + brief + `,` + brief + `]}`, nil, 3},
		"none":     {[]body.Field{ada, file("brief", nil)}, `{"name":"Ada","photos":[]}`, []forms.Problem{{Field: "brief", Code: forms.Required}}, 0},
		"a text where a file belongs": {
			[]body.Field{ada, {Name: "brief", Value: "fil_of_somebody_else"}},
			`{"name":"Ada","photos":[]}`,
			[]forms.Problem{{Field: "brief", Code: forms.TypeFile}},
			0,
		},
		"an object that looks like a file": {
			[]body.Field{ada, {Name: "brief", Value: map[string]any{"id": "fil_of_somebody_else", "name": "x"}}},
			`{"name":"Ada","photos":[]}`,
			[]forms.Problem{{Field: "brief", Code: forms.TypeFile}},
			0,
		},
		"refused":        {[]body.Field{ada, file("brief", forms.Upload{Name: "x", Code: forms.FileTooLarge})}, `{"name":"Ada","photos":[]}`, []forms.Problem{{Field: "brief", Code: forms.FileTooLarge, Limit: "2 MB"}}, 0},
		"wrong type":     {[]body.Field{ada, file("brief", forms.Upload{Name: "x", Code: forms.FileType})}, `{"name":"Ada","photos":[]}`, []forms.Problem{{Field: "brief", Code: forms.FileType, Limit: "pdf, docx, jpg"}}, 0},
		"too many":       {[]body.Field{ada, file("brief", upload("a.pdf")), file("brief", upload("a.pdf"))}, `{"name":"Ada","photos":[]}`, []forms.Problem{{Field: "brief", Code: forms.TooManyFiles, Limit: "1"}}, 2},
		"for no field":   {[]body.Field{ada, file("brief", upload("a.pdf")), file("cv", "cv.pdf")}, `{"name":"Ada","brief":` + brief + `,"photos":[],"extra":{"cv":{"name":"cv.pdf","stored":false}}}`, nil, 1},
		"under any name": {[]body.Field{ada, file("brief", upload("a.pdf")), file("any", nil)}, `{"name":"Ada","brief":` + brief + `,"photos":[]}`, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := mustCompile(t, withFiles).Submit(c.posted)
			if diff := cmp.Diff(c.data, string(got.Data)); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
			if len(got.Problems) != len(c.problems) || len(got.Uploads) != c.uploads {
				t.Fatalf("problems %+v, uploads %+v", got.Problems, got.Uploads)
			}
			for i, p := range c.problems {
				if g := got.Problems[i]; g.Field != p.Field || g.Code != p.Code || g.Limit != p.Limit || strings.Contains(g.Message(forms.German), "{") {
					t.Errorf("problem %+v, want %+v", g, p)
				}
			}
		})
	}
}

// The page that shows the problems has a file input that can be used again.
func TestRenderProblems_files(t *testing.T) {
	t.Parallel()
	f := mustCompile(t, withFiles)
	result := f.Submit([]body.Field{file("brief", upload("a.pdf"))})
	var out bytes.Buffer
	if err := f.RenderProblems(&out, forms.English, "contact", result); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`enctype="multipart/form-data"`,
		`<input type="file" id="field-2" name="brief" accept=".pdf,.docx,.jpg" aria-describedby="field-2-help" required>`,
		`<input type="file" id="field-3" name="photos" accept="image/*" multiple aria-describedby="field-3-help">`,
		`Please choose your file again`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lacks %s in\n%s", want, out.String())
		}
	}
	if strings.Count(out.String(), "choose your file again") != 1 {
		t.Error("asks again for a file that was not chosen")
	}
}

func TestCompile_maxUpload(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]int64{
		withFiles: 1<<20 + 2<<20 + 2*10<<20 + 10<<20,
		"fields: { a: { type: file, max_size: 100MB } }":                                 1<<20 + 100<<20,
		"fields: { a: { type: file, multiple: true, max_files: 100 } }":                  1<<20 + 50<<20,
		"fields: { a: { type: file, max_size: 1MB } }\nmax_upload: 3MB\nmax_body: 100KB": 100<<10 + 3<<20,
	} {
		f := mustCompile(t, yaml)
		if got := f.MaxUpload(); got != want || !f.TakesFiles() {
			t.Errorf("%s\ngot %d, want %d", yaml, got, want)
		}
	}
	if mustCompile(t, "fields: any").TakesFiles() {
		t.Error("a form without fields takes files")
	}
}
