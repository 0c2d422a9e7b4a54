package connectors

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Values come from strangers. Each function here keeps one from speaking the
// mark-up of a receiver: it mentions nobody, hides no link behind other words,
// is no image and no command. A web address in it stays one that works.

// apart is put behind a character that would begin a mention or a link, where
// the mark-up has no escape for it. Nobody sees it.
const apart = "\u200b"

var (
	angles   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	unangles = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">")
	markdown = strings.NewReplacer(
		`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "|", `\|`, ">", `\>`, "<", `\<`, "[", `\[`, "]", `\]`, "#", `\#`,
	)
	// hidden finds what makes a link or an image of the words in brackets
	// before it, in Markdown.
	hidden = regexp.MustCompile(`\][(\[:]`)
	// webAddress is an address as far as nothing in it is mark-up.
	webAddress = regexp.MustCompile(`(?i)\bhttps?://[\pL\pN._~:/?#@!$&'+,;=%-]+`)
)

// EscapeAngles escapes the three characters of Slack's mark-up, so that no value
// can name a channel, a user or a link (docs.slack.dev, "Escaping text").
func EscapeAngles(text string) string { return angles.Replace(text) }

// UnescapeAngles undoes EscapeAngles.
func UnescapeAngles(text string) string { return unangles.Replace(text) }

// EscapeMarkdown puts a backslash before what Markdown gives a meaning.
// Mentions and references (@name, #12) have no escape: GitHub and Mattermost
// look for them after Markdown was read.
func EscapeMarkdown(text string) string {
	return besideAddresses(text, func(text string) string {
		return markdown.Replace(separate(text, mentions, references))
	})
}

// Inert is for texts of which it is not known whether they are shown as
// Markdown, as HTML or as they are: what it adds is seen in none of them. Google
// Chat, whose mark-up has no escapes, gets it as well (<users/all>,
// <https://host|words>).
func Inert(text string) string {
	return besideAddresses(text, func(text string) string {
		return KeepLinks(separate(text, mentions, references, tags))
	})
}

// KeepLinks takes from Markdown the links and images behind other words, and
// nothing else.
func KeepLinks(text string) string {
	return hidden.ReplaceAllStringFunc(text, func(found string) string { return found[:1] + apart + found[1:] })
}

// SeparateMentions takes @name and /command from a text in which the receiver
// looks for them, whatever its mark-up (Telegram).
func SeparateMentions(text string) string {
	return besideAddresses(text, func(text string) string { return separate(text, mentions, commands) })
}

// besideAddresses changes a text but for the web addresses in it. An @ in an
// address would be a mention to some receivers; its escape names the same page.
func besideAddresses(text string, change func(string) string) string {
	var b strings.Builder
	from := 0
	for _, at := range webAddress.FindAllStringIndex(text, -1) {
		b.WriteString(change(text[from:at[0]]))
		b.WriteString(strings.ReplaceAll(text[at[0]:at[1]], "@", "%40"))
		from = at[1]
	}
	b.WriteString(change(text[from:]))
	return b.String()
}

// separate puts apart behind each character with which one of begins says that
// something begins.
func separate(text string, begins ...func(before string, c byte, after string) bool) string {
	var b strings.Builder
	for i := range len(text) {
		b.WriteByte(text[i])
		for _, begin := range begins {
			if begin(text[:i], text[i], text[i+1:]) {
				b.WriteString(apart)
				break
			}
		}
	}
	return b.String()
}

// mentions tells whether an @ begins one. Behind a plain letter or digit it is
// that of a mail address; Mattermost sees @all behind . - : and _, GitHub behind
// an ü as well.
func mentions(before string, c byte, _ string) bool {
	before = strings.TrimRight(before, "_")
	return c == '@' && (before == "" || !plainWord(before[len(before)-1]))
}

// references tells whether a # names an issue, a channel or a topic.
func references(_ string, c byte, after string) bool {
	first, _ := utf8.DecodeRuneInString(after)
	return c == '#' && (unicode.IsLetter(first) || unicode.IsDigit(first))
}

// tags tells whether a < could begin a tag, a mention or a link.
func tags(_ string, c byte, _ string) bool { return c == '<' }

// commands tells whether a / begins one of a bot, as core.telegram.org has it:
// not within a word or a path.
func commands(before string, c byte, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	within := before != "" && (unicode.IsLetter(last) || unicode.IsDigit(last) || strings.ContainsRune("_/<>", last))
	return c == '/' && after != "" && plainWord(after[0]) && !within
}

func plainWord(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
