package fakevendors

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Salesforce is a stand-in for Salesforce's login and REST API. Its tokens end
// when Expire says so.
type Salesforce struct {
	vendor
	client, secret string
	tokens         int
}

// NewSalesforce starts one that lets one client in.
func NewSalesforce(tb testing.TB, client, secret string) *Salesforce {
	s := &Salesforce{client: client, secret: secret}
	s.serve(tb, s.handle)
	return s
}

// Expire makes the token that is in use end. The next one is another.
func (s *Salesforce) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens += 1000
}

func (s *Salesforce) token() string { return fmt.Sprintf("00D-session-%06d", s.tokens) }

func (s *Salesforce) handle(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/services/oauth2/token" {
		s.login(w, r)
		return
	}
	refuse := func(status int, code, message string) {
		answer(w, status, []object{{"message": message, "errorCode": code, "fields": []string{}}})
	}
	name, found := strings.CutPrefix(r.URL.Path, "/services/data/v62.0/sobjects/")
	body := decoded(r)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+s.token():
		refuse(http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid")
	case !found || r.Method != http.MethodPost:
		refuse(http.StatusNotFound, "NOT_FOUND", "The requested resource does not exist")
	case name == "Lead" && (body["LastName"] == nil || body["Company"] == nil):
		refuse(http.StatusBadRequest, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName, Company]")
	default:
		rec := &Record{Kind: name, ID: fmt.Sprintf("00Q%012dAAA", len(s.records)+1), Fields: body}
		s.records = append(s.records, rec)
		answer(w, http.StatusCreated, object{"id": rec.ID, "success": true, "errors": []string{}})
	}
}

func (s *Salesforce) login(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil || r.PostForm.Get("grant_type") != "client_credentials" ||
		r.PostForm.Get("client_id") != s.client || r.PostForm.Get("client_secret") != s.secret {
		answer(w, http.StatusUnauthorized, object{"error": "invalid_client", "error_description": "invalid client credentials"})
		return
	}
	s.tokens++
	answer(w, http.StatusOK, object{"access_token": s.token(), "instance_url": s.URL, "token_type": "Bearer"})
}
