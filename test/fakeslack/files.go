package fakeslack

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// ChannelID is the id of a channel that was named with #; what is an id stays
// as it is.
func ChannelID(channel string) string {
	name, named := strings.CutPrefix(channel, "#")
	if !named {
		return channel
	}
	return "C0" + strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, name)
}

// uploadURL is files.getUploadURLExternal.
func (s *Server) uploadURL(w http.ResponseWriter, r *http.Request) {
	m := Message{Via: "upload-url", Header: r.Header.Clone(), At: time.Now(), Error: authorized(w, r)}
	name := r.PostForm.Get("filename")
	length, err := strconv.ParseInt(r.PostForm.Get("length"), 10, 64)
	if m.Error == "" && (name == "" || err != nil || length <= 0) {
		m.Error = "invalid_arguments"
	}
	file := File{Name: name, Length: length}
	if m.Error == "" {
		file = s.announced(file)
	}
	m.Files = []File{file}
	s.reply(w, r, m, map[string]any{"upload_url": s.url + "/upload/v1/" + file.ID + "canaryUpload0042", "file_id": file.ID})
}

// announced gives a file its id.
func (s *Server) announced(file File) File {
	s.mu.Lock()
	defer s.mu.Unlock()
	file.ID = fmt.Sprintf("F0FAKE%04d", len(s.files)+1)
	s.files[file.ID] = file
	return file
}

// upload takes a file's bytes, and refuses a token that does not belong there.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	m := Message{Via: "upload", Header: r.Header.Clone(), At: time.Now()}
	id, known := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/upload/v1/"), "canaryUpload0042")
	s.mu.Lock()
	file := s.files[id]
	s.mu.Unlock()
	content, err := io.ReadAll(io.LimitReader(r.Body, file.Length+1))
	if err != nil {
		return // the client is gone
	}
	status := http.StatusOK
	switch {
	case !known || file.ID == "":
		status, m.Error = http.StatusNotFound, "no such upload"
	case r.Header.Get("Authorization") != "" || strings.Contains(r.URL.RawQuery, "token"):
		status, m.Error = http.StatusBadRequest, "a token came with the upload"
	case r.Method != http.MethodPost || r.ContentLength != file.Length || int64(len(content)) != file.Length:
		status, m.Error = http.StatusBadRequest, "the length is not the one announced"
	}
	file.Content, file.uploaded = string(content), m.Error == ""
	m.Text, m.Files = file.Content, []File{file}
	text := m.Error
	if text == "" {
		text = fmt.Sprintf("OK - %d", len(content))
	}
	s.answer(w, r, m, Answer{Status: status, Body: text})
}

func (s *Server) keep(file File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[file.ID] = file
}

// completeUpload is files.completeUploadExternal: into a channel by its id, in
// which something was posted.
func (s *Server) completeUpload(w http.ResponseWriter, r *http.Request) {
	m := Message{Via: "files", Header: r.Header.Clone(), At: time.Now(), Error: authorized(w, r)}
	form := r.PostForm
	m.Channel, m.ThreadTS, m.Text = form.Get("channel_id"), form.Get("thread_ts"), form.Get("initial_comment")
	var files []struct{ ID, Title string }
	unreadable := json.Unmarshal([]byte(form.Get("files")), &files) != nil || len(files) == 0
	s.mu.Lock()
	for _, f := range files {
		file := s.files[f.ID]
		if !file.uploaded && m.Error == "" {
			m.Error = "file_not_found"
		}
		file.Title = f.Title
		m.Files = append(m.Files, file)
	}
	s.mu.Unlock()
	if m.Error == "" && unreadable {
		m.Error = "invalid_arguments"
	}
	if m.Error == "" && !s.knows(m.Channel) {
		m.Error = "channel_not_found"
	}
	s.reply(w, r, m, map[string]any{"files": files})
}

// knows reports whether something was posted in the channel with an id.
func (s *Server) knows(channel string) bool {
	for _, m := range s.Messages() {
		if m.Via == "api" && ChannelID(m.Channel) == channel {
			return true
		}
	}
	return false
}
