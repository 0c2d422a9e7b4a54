package ui

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"
)

// Sentences of parts that know nothing of pages, in English and German, with %s for
// what is put into them: the command line and the API say them in English. The first
// that fits counts. What stands in {} in German are states, told as the pages call them.
var (
	// notes are of conditions, of rules/lang.
	notes = sayings([][2]string{
		{"it would take too long to tell", "es würde zu lange dauern, das zu sagen"},
		{"it is %s, not true or false", "es ist %s und nicht true oder false"},
		{"it is %s", "es ist %s"},
		{"%s is %s, %s is %s", "%s ist %s, %s ist %s"},
		{"null or missing", "null oder fehlt"},
	})

	// reasons say why a post is spam, of forms and app/ingest.
	reasons = sayings([][2]string{
		{"released by hand; it was kept for: %s", "von Hand freigegeben; zurückgehalten wurde es wegen: %s"},
		{"released by hand", "von Hand freigegeben"},
		{"max_links: %s links, more than %s", "max_links: %s Links, mehr als %s"},
		{"honeypot %s = %s", "honeypot: %s = %s"},
		{"captcha: no answer was sent", "captcha: es kam keine Antwort mit"},
		{"captcha: the answer was refused (%s)", "captcha: die Antwort wurde nicht angenommen (%s)"},
		{"captcha: the answer was refused", "captcha: die Antwort wurde nicht angenommen"},
		{"blocklist: a throw-away address at %s", "blocklist: eine Wegwerfadresse bei %s"},
		{"blocklist: the word %s", "blocklist: das Wort %s"},
		{"blocklist: an address at %s", "blocklist: eine Adresse bei %s"},
		{"blocklist: a link to %s", "blocklist: ein Link zu %s"},
		{"min_time: no time token; the page did not fetch one", "min_time: kein Zeitstempel; die Seite hat keinen geholt"},
		{"min_time: the time token is not ours", "min_time: der Zeitstempel ist nicht von uns"},
		{"min_time: the time token is older than 7 days", "min_time: der Zeitstempel ist älter als 7 Tage"},
		{"min_time: filled in within %s, less than %s", "min_time: in %s ausgefüllt, in weniger als %s"},
	})

	// refusals are what operators cannot ask for, of app/admin: those that the pages
	// meet. Others stay English.
	refusals = sayings([][2]string{
		{"a key has 1 to %s bytes", "Ein Schlüssel hat 1 bis %s Byte."},
		{"address: %s", "%s"},
		{"this is no e-mail address", "Das ist keine E-Mail-Adresse."},
		{"the note is longer than %s bytes", "Die Notiz ist länger als %s Byte."},
		{"for=%s: write how long, such as 30m, 2h or 3d", "„%s“ ist keine Dauer. Gemeint ist etwas wie 30m, 2h oder 3d."},
		{"a pause ends at a time (until) or after one (for): leave one of the two out", "Eine Pause endet zu einer Zeit oder nach einer Dauer: Bitte nur eines von beiden angeben."},
		{"the end of the pause, %s, is over already", "Das Ende der Pause, %s, ist schon vorbei."},
		{"a pause ends within a year, or has no end", "Eine Pause endet innerhalb eines Jahres oder hat kein Ende."},
		{"rate=%s: %s", "„%s“ ist keine Rate. Gemeint ist etwas wie 5/s. (%s)"},
		{"a view needs a name of at most %s characters, in one line", "Eine Ansicht braucht einen Namen von höchstens %s Zeichen, in einer Zeile."},
		{"a view needs a query, of at most %s characters", "Eine Ansicht braucht eine Suche von höchstens %s Zeichen."},
		{"there is a view %s already, of another search: take another name, or delete that one first", "Es gibt schon eine Ansicht „%s“, von einer anderen Suche. Bitte einen anderen Namen nehmen oder zuerst jene löschen."},
		{"there are %s views, which is the most: delete one first", "Es gibt schon %s Ansichten, mehr sind nicht möglich: Bitte zuerst eine löschen."},
		{"there is no format %s; there are %s", "Es gibt kein Format %s. Es gibt: %s."},
		{"%s has no delimiter: leave it out", "%s hat kein Trennzeichen: Bitte weglassen."},
		{"%s exports are being made just now: try again in a moment", "Gerade werden %s Exporte erstellt. Versuchen Sie es gleich noch einmal."},
		{"there is no state %s; there are %s", "Es gibt keinen Zustand %s. Es gibt: %s."},
		{"%s: %s is no time: write 30d, 12h, or 2026-11-24", "%s: %s ist keine Zeit. Schreiben Sie 30d, 12h oder 2026-11-24."},
		{"the run is %s and cannot be %s", "Das geht nicht: Der Zustand des Laufs ist {%[1]s}."},
		{"only deliveries that are %s can be %s, not %s", "Das geht nur mit Zustellungen im Zustand {%[1]s}, nicht {%[3]s}."},
		{"no %s is called %s: %s", "Nichts davon heißt hier %[2]s. %[3]s"},
		{"did you mean %s?", "Meinten Sie %s?"},
		{"there is none", "Es gibt keines."},
		{"there is only %s", "Es gibt nur %s."},
		{"there are %s and %s more", "Es gibt: %s und %s weitere."},
		{"there are %s", "Es gibt: %s."},
		{"event %s is neither spam nor a repeat of a form post: there is nothing to release", "Ereignis %s ist weder Spam noch die Wiederholung einer Einsendung: Es gibt nichts freizugeben."},
		{"say which deliveries: by ids, state, connection, rule, cause, event or since", "Es fehlt, welche Zustellungen gemeint sind."},
		{"events that are %s cannot be replayed: no rule has seen their data", "Ereignisse im Zustand {%s} können nicht neu ausgewertet werden: Keine Regel hat ihre Daten gesehen."},
	})
)

// saying is a sentence that is known in both languages.
type saying struct {
	english, german string
	form            *regexp.Regexp
}

// sayings makes the forms by which the sentences are found. A text in quotes is one
// value, whatever it holds.
func sayings(pairs [][2]string) []saying {
	list := make([]saying, len(pairs))
	for i, p := range pairs {
		form := strings.ReplaceAll(regexp.QuoteMeta(p[0]), "%s", `("(?:[^"\\]|\\.)*"|.+?)`)
		list[i] = saying{p[0], p[1], regexp.MustCompile(`^` + form + `$`)}
	}
	return list
}

// said is a sentence of another part in the language; known is false where it stays
// English.
func (l language) said(list []saying, text string) (own string, known bool) {
	if l == english {
		return text, true
	}
	for _, s := range list {
		found := s.form.FindStringSubmatch(text)
		if found == nil {
			continue
		}
		values := make([]any, len(found)-1)
		for i, v := range found[1:] {
			if values[i] = v; !strings.ContainsAny(v[:1], `"{[`) { // null, and a reason within a reason
				values[i], _ = l.said(list, v)
			}
		}
		own = fmt.Sprintf(s.german, values...)
		if strings.Contains(s.german, "{") {
			own = inBraces.ReplaceAllStringFunc(own, l.stateWords)
		}
		return own, true
	}
	return text, false
}

var inBraces = regexp.MustCompile(`\{[^{}]*\}`)

// stateWords are the states in braces, with commas between them, as the pages call them.
func (l language) stateWords(list string) string {
	states := strings.Split(strings.Trim(list, "{}"), ", ")
	for i, name := range states {
		name = strings.Trim(name, `"`)
		states[i] = "„" + l.stateWord(name) + "“"
	}
	return strings.Join(states, ", ")
}

// told is the same for a page, marked as English where it is.
func (l language) told(list []saying, text string) template.HTML {
	own, known := l.said(list, text)
	if !known {
		return inEnglish(own)
	}
	return plain(own)
}

// inEnglish is a text that is English on a page of any language.
func inEnglish(text string) template.HTML { return `<span lang="en">` + plain(text) + `</span>` }

// English is the same for a template: what receivers, check and the rules' language say.
func (v *view) English(text string) template.HTML { return inEnglish(text) }

// tell is text for a sentence in which others are told: of its arguments, those that are
// no HTML are escaped.
func (l language) tell(text string, args ...any) template.HTML {
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = template.HTMLEscapeString(s)
		}
	}
	return template.HTML(l.text(text, args...)) //nolint:gosec // the text is the pages' own
}

// Tell is T for a sentence in which others are told; see language.tell.
func (v *view) Tell(text string, args ...any) template.HTML { return v.Lang.tell(text, args...) }

// plain is a text where others are marked.
func plain(text string) template.HTML {
	return template.HTML(template.HTMLEscapeString(text)) //nolint:gosec // escaped
}

// Note is what a condition compared.
func (v *view) Note(text string) template.HTML { return v.Lang.told(notes, text) }

// Reason is why a post is spam.
func (v *view) Reason(text string) template.HTML { return v.Lang.told(reasons, text) }
