// Command release answers how helm-controller 1.6.3 digests releases and values, and composes values: one JSON request
// per line on stdin, one JSON answer per line.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/helm-controller/internal/release"
	"github.com/fluxcd/pkg/chartutil"
	"github.com/opencontainers/go-digest"
	"helm.sh/helm/v4/pkg/chart/common"
	helmrelease "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/strvals"
)

type request struct {
	Op        string   `json:"op"`
	Text      string   `json:"text"`
	Sets      []string `json:"sets"`
	OCIDigest string   `json:"ociDigest"`
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			encoder.Encode(answer(line))
			out.Flush()
		}
		if err != nil {
			return
		}
	}
}

func answer(line []byte) (result map[string]any) {
	defer func() {
		if r := recover(); r != nil {
			result = map[string]any{"error": fmt.Sprintf("panic: %v", r)}
		}
	}()
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		return map[string]any{"error": "bad request: " + err.Error()}
	}
	value, err := handle(&r)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"ok": value}
}

func handle(r *request) (any, error) {
	switch r.Op {
	case "snapshot":
		// The text is a stored record; sets are written into its configuration as `--set` does, which makes integers.
		var decoded helmrelease.Release
		if err := json.Unmarshal([]byte(r.Text), &decoded); err != nil {
			return nil, err
		}
		if err := set(&decoded.Config, r.Sets); err != nil {
			return nil, err
		}
		observed := release.ObserveRelease(&decoded)
		observed.OCIDigest = r.OCIDigest
		var encoded bytes.Buffer
		if err := observed.Encode(&encoded); err != nil {
			return nil, err
		}
		snapshot := release.ObservedToSnapshot(observed)
		return map[string]any{
			"json":         encoded.String(),
			"digest":       snapshot.Digest,
			"configDigest": snapshot.ConfigDigest,
		}, nil
	case "config":
		values, err := common.ReadValues([]byte(r.Text))
		if err != nil {
			return nil, err
		}
		config := map[string]any(values)
		if err := set(&config, r.Sets); err != nil {
			return nil, err
		}
		var encoded bytes.Buffer
		if err := chartutil.Encode(&encoded, config, chartutil.SortMapSlice); err != nil {
			return nil, err
		}
		return map[string]any{
			"yaml":   encoded.String(),
			"digest": chartutil.DigestValues(digest.SHA256, config).String(),
		}, nil
	default:
		return nil, fmt.Errorf("unknown op %q", r.Op)
	}
}

func set(values *map[string]any, sets []string) error {
	if *values == nil && len(sets) > 0 {
		*values = map[string]any{}
	}
	for _, text := range sets {
		if err := strvals.ParseInto(text, *values); err != nil {
			return err
		}
	}
	return nil
}
