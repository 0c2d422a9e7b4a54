package admin

import (
	"context"
	"fmt"
)

// Pruned is what retention no longer keeps: as it was counted first, and how
// many events were deleted.
type Pruned struct {
	DryRun      bool `json:"dry_run"`
	Events      int  `json:"events"` // of webhooks
	Submissions int  `json:"submissions"`
	Spam        int  `json:"spam"`
	Deleted     int  `json:"deleted"`
}

// Prune deletes what retention no longer keeps, or with dryRun only counts it.
func (s *Service) Prune(ctx context.Context, dryRun bool) (Pruned, error) {
	out, err := s.opt.Prune(ctx, dryRun)
	s.forgetCounts()
	if err != nil {
		return out, fmt.Errorf("cannot delete what is old: %w", err)
	}
	if !dryRun {
		s.opt.Logger.InfoContext(ctx, "by hand", "audit", "pruned", "deleted", out.Deleted, "by", actor(ctx))
	}
	return out, nil
}
