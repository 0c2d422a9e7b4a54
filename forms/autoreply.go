package forms

import (
	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

// autoreplySettings is what a form answers by itself, as the configuration file
// has it. What its values may hold, the connection decides.
type autoreplySettings struct {
	To        yamlnode.Text `yaml:"to,required" doc:"The connection that sends it, of type email." example:"mail"`
	When      yamlnode.Text `yaml:"when" doc:"Reply only where this expression is true." type:"expression" example:"data.newsletter == true"`
	Recipient yamlnode.Node `yaml:"recipient,required" doc:"Who gets it: the form's e-mail field." example:"${{ data.email }}" type:"text"`
	ReplyTo   yamlnode.Node `yaml:"reply_to" doc:"Where an answer to it goes; the connection's from where left out." example:"sales@agency.example" type:"text"`
	Subject   yamlnode.Node `yaml:"subject,required" doc:"The subject, in one line." example:"We have received your message" type:"text"`
	Text      yamlnode.Node `yaml:"text" doc:"The message as plain text." example:"Thank you, we answer within one working day." type:"text"`
	HTML      yamlnode.Node `yaml:"html" doc:"The message as HTML; values are escaped." example:"<p>Thank you.</p>" type:"text"`
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
	Inputs   []yamlnode.Field // the other keys
	Node     yamlnode.Node
}

func readAutoreply(n yamlnode.Node) (*Autoreply, diag.List) {
	if n.IsZero() {
		return nil, nil
	}
	var s autoreplySettings
	list := n.Decode("an autoreply", &s)
	a := &Autoreply{To: s.To, When: s.When, Node: n}
	for _, f := range n.Fields() {
		if f.Key.Value != "to" && f.Key.Value != "when" {
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

// Autoreply is what the form answers by mail, nil where it does not.
func (f *Form) Autoreply() *Autoreply { return f.autoreply }
