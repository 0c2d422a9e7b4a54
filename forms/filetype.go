package forms

import (
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

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
