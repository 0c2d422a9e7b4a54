package forms

import (
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"hookgate/internal/body"
)

const (
	defaultMaxFile   = 10 << 20 // bytes of one file
	defaultMaxFiles  = 5        // of a field with `multiple`
	defaultMaxUpload = 50 << 20 // bytes of all files of a post, unless one field may have more

	// maxFileName bounds a kept file name, in bytes: file systems take 255.
	maxFileName = 150
)

// fileField is what a file field takes.
type fileField struct {
	accept   []acceptable // empty: every type
	words    string       // accept as written, for people and for HTML
	maxSize  int64        // bytes of one file
	maxFiles int          // 1 unless multiple
	multiple bool
}

// Upload is a file that came with a post and was stored: the Value of a
// body.Field with File set. Code is set where it was not stored, and says why.
type Upload struct {
	ID     string // "" where it was not stored
	Field  string // in data; set by Submit
	Name   string // as CleanFileName gives it
	Type   string // what its content looks like
	Size   int64  // bytes
	SHA256 string // in hexadecimal
	Code   Code
}

// FileRule says what may be posted as a file under one name.
type FileRule struct {
	fd *field
}

// TakesFiles reports whether the form has a file field: then its multipart
// posts are read as a stream.
func (f *Form) TakesFiles() bool { return slices.ContainsFunc(f.fields, (*field).isFile) }

func (fd *field) isFile() bool { return fd.kind == fileKind }

// MaxUpload is the size limit of a post with files, in bytes: of the files
// together and of what stands around them.
func (f *Form) MaxUpload() int64 { return f.maxUpload + f.maxBody }

// FileRule is the rule for files that are posted under a name; ok is false
// where the form has no such file field, and they are to be passed over.
func (f *Form) FileRule(posted string) (rule FileRule, ok bool) {
	fd := f.declared(pathOf(posted).path)
	if fd == nil || !fd.isFile() {
		return FileRule{}, false
	}
	return FileRule{fd}, true
}

// MaxSize is the size limit of one file in bytes.
func (r FileRule) MaxSize() int64 { return r.fd.file.maxSize }

// MaxFiles is how many files the field takes.
func (r FileRule) MaxFiles() int { return r.fd.file.maxFiles }

// Field is the name of the field that the rule is of.
func (r FileRule) Field() string { return r.fd.name }

// SniffLength is how many of the file's first bytes Judge wants, if there are
// as many.
func (FileRule) SniffLength() int { return sniffLength }

// Judge decides by the first bytes of a file whether the field takes it. What
// its sender says of its type does not count. name is the one to keep: where
// the sender's has an extension that does not go with the content, the right
// one is put behind it. Of an archive the first bytes do not tell what it is:
// with whole, Inspect decides once all of it is there.
func (r FileRule) Judge(head []byte, sent string) (name, mediaType string, code Code, whole bool) {
	name = CleanFileName(sent)
	if len(head) == 0 {
		return name, "", FileEmpty, false
	}
	mediaType, extension := sniff(head)
	if isPackage(head) && r.fd.file.takesPackages() {
		return name, mediaType, "", true
	}
	name, code = r.accepts(name, mediaType, extension)
	return name, mediaType, code, false
}

// Inspect decides of an archive whether the field takes it: by the directory at
// its end, and not by what its first bytes look like. sniffed is what Judge
// found.
func (r FileRule) Inspect(content io.ReaderAt, size int64, sent, sniffed string) (name, mediaType string, code Code) {
	mediaType, extension := packageType(content, size, sniffed)
	name, code = r.accepts(CleanFileName(sent), mediaType, extension)
	return name, mediaType, code
}

// accepts decides by the type of a file, and gives its name the extension that
// goes with it.
func (r FileRule) accepts(name, mediaType, extension string) (string, Code) {
	accept := r.fd.file.accept
	if len(accept) == 0 {
		return name, ""
	}
	fits := func(a acceptable) bool { return a.matches(mediaType) }
	i := slices.IndexFunc(accept, fits)
	if i < 0 {
		return name, FileType
	}
	own := extensionOf(name)
	if slices.ContainsFunc(accept, func(a acceptable) bool { return fits(a) && a.extension == own && own != "" }) ||
		slices.Contains(fileTypes[own], mediaType) {
		return name, ""
	}
	if accept[i].extension != "" {
		extension = accept[i].extension
	}
	if extension != "" {
		name += "." + extension
	}
	return name, ""
}

// CleanFileName makes of the name that a browser sent one that is safe to
// show and to save under: the last part of a path, without characters that
// file systems or terminals read as something else, and not too long. What is
// not UTF-8 is of an old page or program, and read as these write.
func CleanFileName(sent string) string {
	if !utf8.ValidString(sent) {
		decoded, err := charmap.Windows1252.NewDecoder().String(sent)
		if err != nil {
			decoded = strings.ToValidUTF8(sent, "")
		}
		sent = strings.ReplaceAll(decoded, "\uFFFD", "") // five bytes mean nothing there
	}
	if i := strings.LastIndexAny(sent, `/\`); i >= 0 {
		sent = sent[i+1:]
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), strings.ContainsRune(`<>:"|?*`, r):
			return -1 // Cf: what turns the reading direction around hides an extension
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, sent)
	name = strings.Trim(name, " .")
	if name == "" {
		return "file"
	}
	return shorten(name)
}

// shorten cuts a long name before its extension.
func shorten(name string) string {
	if len(name) <= maxFileName {
		return name
	}
	extension := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 12 {
		extension = name[i:]
	}
	keep := maxFileName - len(extension)
	for keep > 0 && !utf8.RuneStart(name[keep]) {
		keep--
	}
	return name[:keep] + extension
}

// collectFile puts a file where its field stands. Of one that no field takes
// the name is kept, so that somebody learns that it was sent: it is not stored,
// for anybody could fill the disk.
func (f *Form) collectFile(p body.Field, path fieldPath, all *entries, r *Result) {
	fd := f.declared(path)
	upload, stored := p.Value.(Upload)
	if !stored && (p.Value == nil || p.Value == "") {
		return // an empty file input is posted as a file without a name
	}
	if fd == nil || !fd.isFile() {
		name, _ := p.Value.(string)
		e := all.at(path)
		e.others = append(e.others, map[string]any{"name": CleanFileName(name), "stored": false})
		r.Unstored = append(r.Unstored, path.name())
		return
	}
	switch {
	case !stored:
		upload = Upload{Code: TypeFile}
	case upload.Code == "":
		upload.Field = path.name()
		r.Uploads = append(r.Uploads, upload)
	}
	e := all.at(path)
	e.files = append(e.files, upload)
}

// readFiles gives the value of a file field in data, and the problem with it.
// What was posted under its name as text is no file, whatever it says.
func (fd *field) readFiles(e *entry) (any, Problem) {
	if e == nil {
		e = &entry{}
	}
	list := []any{}
	for _, u := range e.files {
		if u.Code != "" {
			return nil, fd.fileProblem(u.Code)
		}
		list = append(list, fileValue(u))
	}
	switch {
	case len(list) > fd.file.maxFiles:
		return nil, fd.fileProblem(TooManyFiles)
	case e.onlyNames():
		return nil, Problem{Code: TypeFile}
	case fd.file.multiple:
		if len(list) == 0 {
			return list, fd.missing()
		}
		return list, Problem{}
	case len(list) == 0:
		return nil, fd.missing()
	}
	return list[0], Problem{}
}

// onlyNames reports whether a text was posted where a file belongs, and no file.
func (e *entry) onlyNames() bool {
	return len(e.files) == 0 && slices.ContainsFunc(e.values, func(v any) bool { return !blank(plain(v)) })
}

// fileHelp says what the field takes, for who has not said it: better than a
// refusal after a long upload.
func (fd *field) fileHelp(lang Lang) string {
	types := lang.fileTypes(fd.file.words)
	if types != "" {
		types += ", "
	}
	return strings.NewReplacer("{types}", types, "{limit}", lang.size(fd.file.maxSize)).Replace(lang.page("filelimit"))
}

// fileProblem is a problem with the limit that it is about.
func (fd *field) fileProblem(code Code) Problem {
	p := Problem{Code: code}
	switch code { //nolint:exhaustive // the others have no limit
	case FileTooLarge:
		p.Limit = sizeText(fd.file.maxSize)
	case FileType:
		p.Limit = fd.file.words
	case TooManyFiles:
		p.Limit = decimal(fd.file.maxFiles)
	}
	return p
}

// fileValue is a file as it stands in data.
func fileValue(u Upload) map[string]any {
	return map[string]any{"name": u.Name, "size": jsonInt(u.Size), "type": u.Type, "sha256": u.SHA256, "id": u.ID}
}
