// Command versions prints the versions of the libraries that the oracles ask.
package main

import (
	"fmt"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/engine"

	"runtime/debug"

	_ "github.com/Masterminds/semver/v3"
	_ "github.com/Masterminds/sprig/v3"
	_ "github.com/santhosh-tekuri/jsonschema/v6"
	_ "go.yaml.in/yaml/v2"
	_ "go.yaml.in/yaml/v3"
	_ "sigs.k8s.io/yaml"
)

var (
	_ = action.NewInstall
	_ = loader.Load
	_ = engine.Render
)

func main() {
	info, _ := debug.ReadBuildInfo()
	for _, d := range info.Deps {
		fmt.Println(d.Path, d.Version)
	}
}
