package forms

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
	"golang.org/x/text/encoding/charmap"

	"hookgate/internal/body"
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// fileSettings are the keys of a file field.
type fileSettings struct {
	Accept   []yamlnode.Text                `yaml:"accept,single" doc:"Of a file: its types, as extensions or image/*, audio/*, video/*; every type where left out." example:"[pdf, docx, image/*]"`
	MaxSize  yamlnode.Placed[yamlnode.Size] `yaml:"max_size" doc:"Of a file: the largest." default:"10MB" example:"5MB" above:"0"`
	MaxFiles yamlnode.Placed[int]           `yaml:"max_files" doc:"Of files with multiple: how many." default:"5" example:"3" min:"1" max:"100"`
}

// wholeKinds are the values of accept that stand for many extensions.
var wholeKinds = []string{"image/*", "audio/*", "video/*"}

// compileFile reads what a file field takes, and refuses these keys for other
// fields.
func (s *fileSettings) compileFile(fd *field) diag.List {
	if !fd.isFile() {
		return s.misplaced(fd)
	}
	fd.file = &fileField{maxSize: defaultMaxFile, maxFiles: 1}
	if !s.MaxSize.IsZero() {
		fd.file.maxSize = int64(s.MaxSize.Value)
	}
	if !s.MaxFiles.IsZero() {
		fd.file.maxFiles = s.MaxFiles.Value
	}
	return s.accept(fd.file)
}

// several makes the field one for several files, or not.
func (s *fieldSettings) several(to *fileField, multiple bool) {
	if to.multiple = multiple; multiple && s.MaxFiles.IsZero() {
		to.maxFiles = defaultMaxFiles
	}
}

func (s *fileSettings) misplaced(fd *field) diag.List {
	fault := func(at interface {
		Diag(code, hint, format string, args ...any) diag.Diagnostic
	}, key string,
	) diag.List {
		return diag.List{at.Diag("bad-value", `write "type: file"`, `%s field has no %q`, fd.kind.noun(), key)}
	}
	switch {
	case len(s.Accept) > 0:
		return fault(s.Accept[0], "accept")
	case !s.MaxSize.IsZero():
		return fault(s.MaxSize, "max_size")
	case !s.MaxFiles.IsZero():
		return fault(s.MaxFiles, "max_files")
	}
	return nil
}

// oneFile refuses max_files for a field that takes one.
func (s *fieldSettings) oneFile(fd *field) diag.List {
	if !fd.isFile() || fd.file.multiple || fd.file.maxFiles == 1 {
		return nil
	}
	return diag.List{s.MaxFiles.Diag("bad-value", "add multiple: true", "the field takes one file")}
}

// accept reads the extensions, with or without a dot, and image/* and the like.
func (s *fileSettings) accept(to *fileField) diag.List {
	var list diag.List
	var words []string
	for _, text := range s.Accept {
		word := strings.ToLower(strings.TrimPrefix(strings.TrimSpace(text.Value), "."))
		if slices.Contains(wholeKinds, word) {
			to.accept = append(to.accept, acceptable{prefix: strings.TrimSuffix(word, "*")})
			words = append(words, word)
			continue
		}
		extension := word
		if same, ok := sameExtension[word]; ok {
			extension = same
		}
		if _, known := fileTypes[extension]; !known {
			list = append(list, text.Diag("unknown-type", acceptHint(word), "%q is no type of file that can be told by its content", text.Value))
			continue
		}
		to.accept = append(to.accept, acceptable{extension: extension})
		words = append(words, word)
	}
	to.words = strings.Join(words, ", ")
	return list
}

func acceptHint(word string) string {
	if _, sub, ok := strings.Cut(word, "/"); ok { // a media type, as HTML's accept takes it
		for _, extension := range append([]string{sub}, slices.Sorted(maps.Keys(fileTypes))...) {
			if slices.Contains(fileTypes[extension], word) {
				return "write " + extension
			}
		}
		word = sub
	}
	known := slices.Concat(slices.Sorted(maps.Keys(fileTypes)), wholeKinds)
	if hint := diag.DidYouMean(word, known); hint != "" {
		return hint
	}
	return "write extensions such as pdf, png, docx, or image/*; leave accept out for every type"
}

// htmlAccept is the value of an input's accept attribute.
func (ff *fileField) htmlAccept() string {
	parts := strings.Split(ff.words, ", ")
	for i, part := range parts {
		if part != "" && !strings.Contains(part, "/") {
			parts[i] = "." + part
		}
	}
	return strings.Join(parts, ",")
}

// upload sets the limit of all files together: what the fields allow, within
// reason, unless the configuration says it.
func (s *settings) upload(f *Form) diag.List {
	var allowed, largest int64
	for _, fd := range f.fields {
		if fd.isFile() && fd.file != nil {
			allowed += fd.file.maxSize * int64(fd.file.maxFiles)
			largest = max(largest, fd.file.maxSize)
		}
	}
	f.maxUpload = min(allowed, max(defaultMaxUpload, largest))
	if s.MaxUpload.IsZero() {
		return nil
	}
	size := int64(s.MaxUpload.Value)
	switch {
	case allowed == 0:
		return diag.List{s.MaxUpload.Diag("bad-value", "add a field of type file, or leave it out", `"max_upload" is for files, and the form has no field for them`)}
	case size < largest:
		return diag.List{s.MaxUpload.Diag("bad-value", "", `"max_upload" is less than the "max_size" of a field`)}
	}
	f.maxUpload = size
	return nil
}

// sizeText is a size for people.
func sizeText(n int64) string {
	switch {
	case n >= 1<<20:
		return trimZero(float64(n)/(1<<20)) + " MB"
	case n >= 1<<10:
		return trimZero(float64(n)/(1<<10)) + " KB"
	}
	return fmt.Sprintf("%d bytes", n)
}

func trimZero(x float64) string { return strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0") }

func jsonInt(n int64) json.Number { return json.Number(strconv.FormatInt(n, 10)) }

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

// fileTypes are the extensions that `accept` takes, each with the media types
// that the content of such a file may look like: a short CSV file is plain
// text.
var fileTypes = map[string][]string{
	"pdf": {"application/pdf"},

	"png":  {"image/png", "image/apng"},
	"jpg":  {"image/jpeg"},
	"gif":  {"image/gif"},
	"webp": {"image/webp"},
	"avif": {"image/avif"},
	"heic": {"image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence"},
	"tif":  {"image/tiff"},
	"bmp":  {"image/bmp"},
	"svg":  {"image/svg+xml"},
	"psd":  {"image/vnd.adobe.photoshop"},
	"ai":   {"application/pdf", "application/postscript"},
	"eps":  {"application/postscript"},
	"dwg":  {"image/vnd.dwg"},

	"txt":  {"text/plain", "text/csv", "text/tab-separated-values"},
	"md":   {"text/plain", "text/csv"},
	"csv":  {"text/csv", "text/plain", "text/tab-separated-values"},
	"json": {"application/json"},
	"xml":  {"text/xml"},
	"rtf":  {"text/rtf"},
	"ics":  {"text/calendar"},
	"vcf":  {"text/vcard"},

	"doc":  {"application/msword", "application/x-ole-storage"},
	"xls":  {"application/vnd.ms-excel", "application/x-ole-storage"},
	"ppt":  {"application/vnd.ms-powerpoint", "application/x-ole-storage"},
	"msg":  {"application/vnd.ms-outlook", "application/x-ole-storage"},
	"docx": {"application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	"xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	"pptx": {"application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	"odt":  {"application/vnd.oasis.opendocument.text"},
	"ods":  {"application/vnd.oasis.opendocument.spreadsheet"},
	"odp":  {"application/vnd.oasis.opendocument.presentation"},
	"epub": {"application/epub+zip"},

	"zip": {"application/zip"},
	"7z":  {"application/x-7z-compressed"},
	"gz":  {"application/gzip"},
	"rar": {"application/x-rar-compressed"},
	"tar": {"application/x-tar"},

	"mp3":  {"audio/mpeg"},
	"wav":  {"audio/wav"},
	"ogg":  {"audio/ogg", "application/ogg", "video/ogg"},
	"flac": {"audio/flac"},
	"aac":  {"audio/aac"},
	"m4a":  {"audio/x-m4a", "audio/mp4"},
	"mp4":  {"video/mp4", "video/x-m4v"},
	"mov":  {"video/quicktime"},
	"webm": {"video/webm"},
	"mkv":  {"video/matroska"},
	"avi":  {"video/x-msvideo"},
	"mpg":  {"video/mpeg"},
}

// sameExtension are other spellings of an extension in fileTypes.
var sameExtension = map[string]string{
	"jpeg": "jpg", "jpe": "jpg", "tiff": "tif", "heif": "heic", "text": "txt", "markdown": "md", "htm": "html", "mpeg": "mpg", "jfif": "jpg",
}

// sniffLength is how many bytes of a file its type is told from.
const sniffLength = 3072

// sniff is the media type that a file's first bytes look like, without
// parameters, and the extension that such files usually have, without the dot.
func sniff(head []byte) (mediaType, extension string) {
	found := mimetype.Detect(head)
	mediaType, _, _ = strings.Cut(found.String(), ";")
	return mediaType, strings.TrimPrefix(found.Extension(), ".")
}

// acceptable is a file type that a field takes: an extension of fileTypes, or
// a whole kind such as image/.
type acceptable struct {
	extension string
	prefix    string
}

func (a acceptable) matches(mediaType string) bool {
	if a.prefix != "" {
		// A drawing in SVG is a program too: who wants it says so.
		return strings.HasPrefix(mediaType, a.prefix) && mediaType != "image/svg+xml"
	}
	return slices.Contains(fileTypes[a.extension], mediaType)
}

// extensionOf is the extension of a file's name as fileTypes has it.
func extensionOf(name string) string {
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	if same, ok := sameExtension[extension]; ok {
		return same
	}
	return extension
}

const (
	zipType = "application/zip"

	// maxDirectory bounds what is read of an archive to tell its type, in bytes.
	// Documents have some hundred parts, of 100 bytes each in the directory.
	maxDirectory = 512 << 10
	// maxContentTypes bounds the list of its parts' types.
	maxContentTypes = 256 << 10
)

// mainParts are the types that the main part of an Office document has (ECMA-376,
// part 1, section 11 to 13), by the document's. Those with macros have others.
var mainParts = map[string]string{
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml":   "docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml":         "xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml": "pptx",
}

// declaredParts is what an archive must have whose entry mimetype says what it
// is (OpenDocument 1.3, part 2, section 3.3; EPUB Open Container Format 3.3,
// section 4.3).
var declaredParts = map[string]string{"odt": "content.xml", "ods": "content.xml", "odp": "content.xml", "epub": "META-INF/container.xml"}

// isPackage reports whether a file begins as an archive does that may be a document.
func isPackage(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

// takesPackages reports whether the field takes any kind of archive that may be
// a document.
func (ff *fileField) takesPackages() bool {
	return len(ff.accept) == 0 || slices.ContainsFunc(ff.accept, func(a acceptable) bool {
		return a.extension == "zip" || declaredParts[a.extension] != "" || slices.Contains(slices.Collect(maps.Values(mainParts)), a.extension)
	})
}

// packageType is the type of an archive, and the extension that goes with it. A
// program that unpacks it goes by the directory at its end, and so does this: a
// document is what says so there, and has the part that makes it one. What
// claims to be a document and is none is an archive like any other; what its
// first bytes look like besides, sniffed, stays.
func packageType(content io.ReaderAt, size int64, sniffed string) (mediaType, extension string) {
	limited := &limitedReaderAt{content, maxDirectory}
	if archive, err := zip.NewReader(limited, size); err == nil {
		limited.left = maxContentTypes
		if found := documentIn(archive); found != "" {
			return fileTypes[found][0], found
		}
	}
	for extension := range declaredParts {
		if slices.Contains(fileTypes[extension], sniffed) {
			return zipType, "zip"
		}
	}
	for _, extension := range mainParts {
		if slices.Contains(fileTypes[extension], sniffed) {
			return zipType, "zip"
		}
	}
	return sniffed, ""
}

// documentIn is the extension of the document that an archive is, "" for none.
func documentIn(archive *zip.Reader) string {
	if text := readPart(archive, "mimetype"); text != nil {
		for extension, part := range declaredParts {
			if slices.Contains(fileTypes[extension], string(text)) && hasPart(archive, part) {
				return extension
			}
		}
		return ""
	}
	var types struct {
		Parts []struct {
			Name string `xml:"PartName,attr"`
			Type string `xml:"ContentType,attr"`
		} `xml:"Override"`
	}
	if xml.Unmarshal(readPart(archive, "[Content_Types].xml"), &types) != nil {
		return ""
	}
	for _, part := range types.Parts {
		if extension := mainParts[part.Type]; extension != "" && hasPart(archive, strings.TrimPrefix(part.Name, "/")) {
			return extension
		}
	}
	return ""
}

func hasPart(archive *zip.Reader, name string) bool {
	return slices.ContainsFunc(archive.File, func(f *zip.File) bool { return strings.EqualFold(f.Name, name) })
}

// readPart is the content of a part, nil where it is not there, too large or broken.
func readPart(archive *zip.Reader, name string) []byte {
	i := slices.IndexFunc(archive.File, func(f *zip.File) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	part, err := archive.File[i].Open()
	if err != nil {
		return nil
	}
	defer func() { _ = part.Close() }()
	text, err := io.ReadAll(io.LimitReader(part, maxContentTypes+1))
	if err != nil || len(text) > maxContentTypes {
		return nil
	}
	return text
}

var errTooMuch = errors.New("the directory is too large to be looked at")

// limitedReaderAt fails when more than so many bytes are read, so that a
// directory of millions of entries costs no memory.
type limitedReaderAt struct {
	io.ReaderAt
	left int
}

func (r *limitedReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if r.left -= len(p); r.left < 0 {
		return 0, errTooMuch
	}
	return r.ReaderAt.ReadAt(p, off)
}
