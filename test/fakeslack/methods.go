package fakeslack

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// People are the addresses that users.lookupByEmail knows, with their ids.
var People = map[string]string{"ada@agency.example": "U0ADA", "bob@agency.example": "U0BOB"}

// authorized reads a call of the Web API; "" is no error.
func authorized(w http.ResponseWriter, r *http.Request) string {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return "invalid_form_data"
	}
	token := r.PostForm.Get("token")
	if token == "" {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	switch token {
	case "":
		return "not_authed"
	case Token:
		return ""
	}
	return "invalid_auth"
}

// reply gives ok or an error, as the Web API does.
func (s *Server) reply(w http.ResponseWriter, r *http.Request, m Message, body map[string]any) {
	body["ok"] = m.Error == ""
	if m.Error != "" {
		body = map[string]any{"ok": false, "error": m.Error}
	}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	s.answer(w, r, m, Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: string(text)})
}

// update is chat.update: of a message that was posted to that channel.
func (s *Server) update(w http.ResponseWriter, r *http.Request) {
	m := Message{Via: "update", Header: r.Header.Clone(), At: time.Now(), Error: authorized(w, r)}
	form := r.PostForm
	m.Channel, m.Text, m.TS = form.Get("channel"), form.Get("text"), form.Get("ts")
	badBlocks := form.Get("blocks") != "" && json.Unmarshal([]byte(form.Get("blocks")), &m.Blocks) != nil
	known := slices.ContainsFunc(s.Messages(), func(p Message) bool {
		return p.Via == "api" && p.TS == m.TS && ChannelID(p.Channel) == ChannelID(m.Channel)
	})
	switch {
	case m.Error != "":
	case !known:
		m.Error = "message_not_found"
	case badBlocks:
		m.Error = "invalid_blocks_format"
	default:
		m.Error = contentFault(&m)
	}
	s.reply(w, r, m, map[string]any{"channel": ChannelID(m.Channel), "ts": m.TS, "text": m.Text})
}

// lookup is users.lookupByEmail.
func (s *Server) lookup(w http.ResponseWriter, r *http.Request) {
	m := Message{Via: "lookup", Header: r.Header.Clone(), At: time.Now(), Error: authorized(w, r)}
	m.Text = r.Form.Get("email")
	id, known := People[m.Text]
	if m.Error == "" && !known {
		m.Error = "users_not_found"
	}
	s.reply(w, r, m, map[string]any{"user": map[string]any{"id": id, "profile": map[string]any{"email": m.Text}}})
}
