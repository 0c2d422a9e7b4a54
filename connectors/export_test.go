package connectors

// What the fuzz targets and tables of the black-box tests reach for.
var (
	ParseRetryAfter = parseRetryAfter
	EscapeSlack     = escapeSlack
	UnescapeSlack   = unescapeSlack
	Excerpt         = excerpt
)

// MaxAnswer is the limit of an answer.
const MaxAnswer = maxAnswer
