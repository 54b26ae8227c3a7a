// Command semver answers what Masterminds/semver makes of versions and constraints.
//
// Request: {"versions": ["1.2", ...]} or {"pairs": [["constraint", "version"], ...]}, answered by a list of the same length.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/Masterminds/semver/v3"
)

type request struct {
	Versions []string    `json:"versions"`
	Pairs    [][2]string `json:"pairs"`
}

func describe(v *semver.Version, err error) map[string]any {
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	out := map[string]any{
		"string": v.String(), "original": v.Original(),
		"major": v.Major(), "minor": v.Minor(), "patch": v.Patch(),
		"prerelease": v.Prerelease(), "metadata": v.Metadata(),
	}
	for name, step := range map[string]func() semver.Version{
		"next_major": v.IncMajor, "next_minor": v.IncMinor, "next_patch": v.IncPatch,
	} {
		func() {
			defer func() {
				if r := recover(); r != nil {
					out[name] = r
				}
			}()
			next := step()
			out[name] = next.Original()
		}()
	}
	return out
}

// pair reads the first text as a constraint and, failing that too, as a version to compare with.
func pair(constraint, version string) map[string]any {
	out := map[string]any{}
	v, verr := semver.NewVersion(version)
	if other, err := semver.NewVersion(constraint); err == nil && verr == nil {
		out["compare"] = other.Compare(v)
	}
	c, err := semver.NewConstraint(constraint)
	if err != nil {
		out["error"] = err.Error()
		return out
	}
	out["string"] = c.String()
	if verr != nil {
		return out
	}
	for _, include := range []bool{false, true} {
		c.IncludePrerelease = include
		ok, errs := c.Validate(v)
		texts := []string{}
		for _, e := range errs {
			texts = append(texts, e.Error())
		}
		out[map[bool]string{false: "plain", true: "prereleases"}[include]] = []any{c.Check(v), ok, texts}
	}
	return out
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	decoder := json.NewDecoder(in)
	encoder := json.NewEncoder(os.Stdout)
	for {
		var req request
		if err := decoder.Decode(&req); err != nil {
			return
		}
		answers := []map[string]any{}
		for _, v := range req.Versions {
			lenient, lerr := semver.NewVersion(v)
			strict, serr := semver.StrictNewVersion(v)
			answers = append(answers, map[string]any{"lenient": describe(lenient, lerr), "strict": describe(strict, serr)})
		}
		for _, p := range req.Pairs {
			answers = append(answers, pair(p[0], p[1]))
		}
		if err := encoder.Encode(answers); err != nil {
			return
		}
	}
}
