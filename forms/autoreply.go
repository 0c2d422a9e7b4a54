package forms

import (
	"encoding/json"
	"html"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// autoreplySettings is what a form answers by itself, as the configuration file
// has it. What its values may hold, the connection decides.
type autoreplySettings struct {
	To        yamlnode.Text  `yaml:"to,required" doc:"The connection that sends it, of type email." example:"mail"`
	When      yamlnode.Text  `yaml:"when" doc:"Reply only where this expression is true." type:"expression" example:"data.newsletter == true"`
	Limit     *yamlnode.Rate `yaml:"limit" doc:"How many go out in a time, to whomever: anybody can type anybody's address into a form." default:"60/h" example:"200/h"`
	Quote     bool           `yaml:"quote" doc:"Whether links and long texts that the visitor wrote may be in it." default:"false"`
	Recipient yamlnode.Node  `yaml:"recipient,required" doc:"Who gets it: the form's e-mail field." example:"${{ data.email }}" type:"text"`
	ReplyTo   yamlnode.Node  `yaml:"reply_to" doc:"Where an answer to it goes; the connection's from where left out." example:"sales@agency.example" type:"text"`
	Subject   yamlnode.Node  `yaml:"subject,required" doc:"The subject, in one line." example:"We have received your message" type:"text"`
	Text      yamlnode.Node  `yaml:"text" doc:"The message as plain text." example:"Thank you, we answer within one working day." type:"text"`
	HTML      yamlnode.Node  `yaml:"html" doc:"The message as HTML; values are escaped." example:"<p>Thank you.</p>" type:"text"`
}

// Noun names the thing in messages.
func (autoreplySettings) Noun() string { return "an autoreply" }

// KeyHint helps with other programs' words for the same things.
func (autoreplySettings) KeyHint(key string) string {
	switch key {
	case "connection", "from":
		return `did you mean "to"?`
	case "email", "address", "recipients":
		return `did you mean "recipient"?`
	case "body", "message":
		return `did you mean "text"?`
	}
	return ""
}

// Autoreply is a form's own answer by mail, as it stands in the file.
type Autoreply struct {
	To, When yamlnode.Text
	Inputs   []yamlnode.Field // what the connection sends
	Node     yamlnode.Node
	Limit    yamlnode.Rate // of all replies of the form together

	quote bool
}

// ownKeys are the keys of an autoreply that are not for the connection.
var ownKeys = []string{"to", "when", "limit", "quote"}

func readAutoreply(n yamlnode.Node) (*Autoreply, diag.List) {
	if n.IsZero() {
		return nil, nil
	}
	var s autoreplySettings
	list := n.Decode("an autoreply", &s)
	a := &Autoreply{To: s.To, When: s.When, Node: n, Limit: yamlnode.Rate{Count: 60, Per: time.Hour}, quote: s.Quote}
	if s.Limit != nil && s.Limit.Count > 0 {
		a.Limit = *s.Limit
	}
	for _, f := range n.Fields() {
		if !slices.Contains(ownKeys, f.Key.Value) {
			a.Inputs = append(a.Inputs, f)
		}
	}
	if s.Text.IsZero() && s.HTML.IsZero() && list.Err() == nil {
		list = append(list, n.Diag("missing-key", "", "an autoreply needs text or html"))
	}
	return a, list
}

// ReadAutoreply reads what a form that may have faults elsewhere answers by
// mail, so that what is wrong with it can be told in the same run; nil where
// it does not.
func ReadAutoreply(form yamlnode.Node) *Autoreply {
	a, _ := readAutoreply(form.Get("autoreply"))
	return a
}

// maxQuoted is how much of what a visitor wrote a reply may have unless it says
// quote: a name, not a message to a stranger. In characters.
const maxQuoted = 100

// Abused says why a rendered reply is not sent: it would carry what the visitor
// wrote to whomever the visitor named. That is a link, more than a name needs,
// or several lines. "" where nothing of it is in the output, or the
// configuration wants it. data is the event's.
func (a *Autoreply) Abused(output, data []byte) string {
	var reply map[string]any
	var posted any
	if a.quote || json.Unmarshal(output, &reply) != nil || json.Unmarshal(data, &posted) != nil {
		return ""
	}
	var reading strings.Builder
	for _, key := range []string{"subject", "text", "html"} {
		text, _ := reply[key].(string)
		reading.WriteString(html.UnescapeString(text) + "\n")
	}
	said := reading.String()
	for _, text := range textsIn(nil, posted) {
		for _, link := range slices.Concat(linkForm.FindAllString(text, -1), bareLink.FindAllString(text, -1)) {
			if strings.Contains(said, link) {
				return "the visitor's link is in the reply, and the form's autoreply does not say quote: true"
			}
		}
		part, long := text, utf8.RuneCountInString(text) > maxQuoted
		if long {
			part = string([]rune(text)[:maxQuoted])
		}
		if (long || strings.Contains(strings.TrimSpace(part), "\n")) && strings.Contains(said, part) {
			return "a long text of the visitor's is in the reply, and the form's autoreply does not say quote: true"
		}
	}
	return ""
}

// open warns of a form by which a program can have mail sent to anyone.
func (a *Autoreply) open(f *Form) diag.List {
	if a == nil || f.Webhook() || f.captcha != nil || f.minTime > 0 {
		return nil
	}
	warning := a.To.Diag("open-autoreply", "add min_time: 3s, or a captcha", "the form answers by mail, and nothing keeps programs from having it write to anyone")
	warning.Severity = diag.Warning
	return diag.List{warning}
}

// Autoreply is what the form answers by mail, nil where it does not.
func (f *Form) Autoreply() *Autoreply { return f.autoreply }
