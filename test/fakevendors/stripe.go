package fakevendors

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Stripe is a stand-in for Stripe's API: customers, subscriptions, search,
// idempotency keys, form bodies.
type Stripe struct {
	vendor
	key string
}

// NewStripe starts one that wants the key.
func NewStripe(tb testing.TB, key string) *Stripe {
	s := &Stripe{key: key}
	s.serve(tb, s.handle)
	return s
}

func (s *Stripe) refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, object{"error": object{"type": "invalid_request_error", "code": code, "message": message}})
}

func (s *Stripe) handle(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+s.key {
		s.refuse(w, http.StatusUnauthorized, "", "Invalid API Key provided")
		return
	}
	if err := r.ParseForm(); err != nil {
		s.refuse(w, http.StatusBadRequest, "", "Invalid form")
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if before, again := s.seen[key]; again && key != "" {
		answer(w, http.StatusOK, before)
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	switch {
	case r.Method == http.MethodGet && path == "customers":
		s.list(w, "customer", "email", r.Form.Get("email"))
	case r.Method == http.MethodGet && path == "subscriptions/search":
		_, quoted, _ := strings.Cut(r.Form.Get("query"), "metadata['reference']:'")
		s.list(w, "subscription", "metadata[reference]", strings.TrimSuffix(quoted, "'"))
	case r.Method == http.MethodGet && strings.HasPrefix(path, "subscriptions/"):
		s.show(w, strings.TrimPrefix(path, "subscriptions/"))
	case r.Method == http.MethodPost && path == "customers":
		s.create(w, r, "customer", "cus_")
	case r.Method == http.MethodPost && path == "subscriptions":
		s.subscribe(w, r)
	case r.Method == http.MethodPost && strings.HasPrefix(path, "subscriptions/"):
		s.update(w, r, strings.TrimPrefix(path, "subscriptions/"))
	default:
		s.refuse(w, http.StatusNotFound, "resource_missing", "Unrecognized request URL")
	}
}

func (s *Stripe) list(w http.ResponseWriter, kind, field, value string) {
	data := []object{}
	for _, r := range s.records {
		if r.Kind == kind && r.Fields[field] == value {
			data = append(data, object{"id": r.ID, "status": r.Fields["status"]})
		}
	}
	answer(w, http.StatusOK, object{"object": "list", "data": data})
}

func (s *Stripe) create(w http.ResponseWriter, r *http.Request, kind, prefix string) *Record {
	rec := &Record{Kind: kind, ID: fmt.Sprintf("%s%d", prefix, len(s.records)+1), Fields: flat(r.PostForm)}
	s.records = append(s.records, rec)
	body := object{"id": rec.ID, "object": kind}
	s.seen[r.Header.Get("Idempotency-Key")] = body
	answer(w, http.StatusOK, body)
	return rec
}

func (s *Stripe) subscribe(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.find("customer", r.PostForm.Get("customer")) == nil:
		s.refuse(w, http.StatusBadRequest, "resource_missing", "No such customer: '"+r.PostForm.Get("customer")+"'")
		return
	case !strings.HasPrefix(r.PostForm.Get("items[0][price]"), "price_"):
		s.refuse(w, http.StatusBadRequest, "resource_missing", "No such price: '"+r.PostForm.Get("items[0][price]")+"'")
		return
	}
	status := "active"
	if r.PostForm.Get("trial_period_days") != "" {
		status = "trialing"
	}
	s.create(w, r, "subscription", "sub_").Fields["status"] = status
}

func (s *Stripe) show(w http.ResponseWriter, id string) {
	rec := s.find("subscription", id)
	if rec == nil {
		s.refuse(w, http.StatusNotFound, "resource_missing", "No such subscription: '"+id+"'")
		return
	}
	answer(w, http.StatusOK, object{"id": id, "object": "subscription", "status": rec.Fields["status"]})
}

func (s *Stripe) update(w http.ResponseWriter, r *http.Request, id string) {
	rec := s.find("subscription", id)
	if rec == nil {
		s.refuse(w, http.StatusNotFound, "resource_missing", "No such subscription: '"+id+"'")
		return
	}
	if r.PostForm.Get("trial_end") == "now" {
		rec.Fields["status"] = "active"
	}
	answer(w, http.StatusOK, object{"id": id, "status": rec.Fields["status"]})
}
