package fakeslack

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// maxBody is how much of a request the fake reads, in bytes.
const maxBody = 1 << 20

// webhook is an incoming webhook: plain text answers, errors by status.
func (s *Server) webhook(w http.ResponseWriter, r *http.Request) {
	m := Message{Via: "webhook", Channel: WebhookChannel, Header: r.Header.Clone(), At: time.Now()}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the client is gone
	}
	var post struct {
		Text      string `json:"text"`
		Channel   string `json:"channel"`
		Blocks    []any  `json:"blocks"`
		ThreadTS  string `json:"thread_ts"`
		Username  string `json:"username"`
		IconEmoji string `json:"icon_emoji"`
	}
	invalid := json.Unmarshal(body, &post) != nil
	m.Text, m.Blocks, m.ThreadTS, m.Username, m.IconEmoji = post.Text, post.Blocks, post.ThreadTS, post.Username, post.IconEmoji
	status := http.StatusOK
	switch kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); {
	case r.URL.Path != WebhookPath:
		status, m.Error = http.StatusNotFound, "no_service"
	case r.Method != http.MethodPost, kind != "application/json", invalid:
		status, m.Error = http.StatusBadRequest, "invalid_payload"
	default:
		if m.Error = contentFault(&m); m.Error != "" {
			status = http.StatusBadRequest
		}
	}
	text := m.Error
	if text == "" {
		text = "ok"
	}
	s.answer(w, r, m, Answer{Status: status, Header: http.Header{"Content-Type": {"text/html"}}, Body: text})
}

// postMessage is chat.postMessage: status 200, with ok and error in the body.
func (s *Server) postMessage(w http.ResponseWriter, r *http.Request) {
	m := Message{Via: "api", Header: r.Header.Clone(), At: time.Now()}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return // the client is gone
	}
	form := r.PostForm
	m.Channel, m.Text, m.ThreadTS = form.Get("channel"), form.Get("text"), form.Get("thread_ts")
	m.Username, m.IconEmoji = form.Get("username"), form.Get("icon_emoji")
	badBlocks := form.Get("blocks") != "" && json.Unmarshal([]byte(form.Get("blocks")), &m.Blocks) != nil
	token := form.Get("token")
	if token == "" {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	switch {
	case token == "":
		m.Error = "not_authed"
	case token != Token:
		m.Error = "invalid_auth"
	case m.Channel == "":
		m.Error = "channel_not_found"
	case badBlocks:
		m.Error = "invalid_blocks_format"
	default:
		m.Error = contentFault(&m)
	}
	body := map[string]any{"ok": false, "error": m.Error}
	if m.Error == "" {
		ts := fmt.Sprintf("%d.%06d", m.At.Unix(), m.At.Nanosecond()/1000)
		m.TS = ts
		body = map[string]any{"ok": true, "channel": ChannelID(m.Channel), "ts": ts, "message": map[string]any{"text": m.Text, "ts": ts}}
	}
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	s.answer(w, r, m, Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Body: string(text)})
}

// contentFault is Slack's word for a message it does not take, else "".
func contentFault(m *Message) string {
	const maxText, maxBlocks = 40_000, 50
	switch {
	case m.Text == "" && len(m.Blocks) == 0:
		return "no_text"
	case utf8.RuneCountInString(m.Text) > maxText:
		return "msg_too_long"
	case len(m.Blocks) > maxBlocks:
		return "invalid_blocks"
	}
	for _, b := range m.Blocks {
		if block, ok := b.(map[string]any); !ok || block["type"] == nil {
			return "invalid_blocks"
		}
	}
	return ""
}

// answer records the request and gives the scripted answer, if one is due,
// else the fake's own.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, m Message, own Answer) {
	given := own
	scripted := s.next(m.Via)
	if scripted != nil {
		given = *scripted
	}
	done := m.Error == "" && (scripted == nil || scripted.Lose)
	m.Posted = done && m.Via != "upload-url" && m.Via != "upload"
	if done && m.Via == "upload" {
		s.keep(m.Files[0]) // before the client knows of it
	}
	s.record(m)
	switch {
	case given.Reset:
		reset(w)
		return
	case given.Hang:
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
		return
	}
	for name, values := range given.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if given.Status != 0 {
		w.WriteHeader(given.Status)
	}
	_, _ = io.WriteString(w, given.Body)
}

// reset breaks the connection the way a crashed peer does.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // HTTP/2, which the fake does not speak
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing sends RST
	}
	_ = conn.Close()
}
