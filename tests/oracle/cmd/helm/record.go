package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	release "helm.sh/helm/v4/pkg/release/v1"
	"helm.sh/helm/v4/pkg/storage"
	"helm.sh/helm/v4/pkg/storage/driver"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// oneSecret is a cluster with one Secret, whatever name it is asked for by.
type oneSecret struct {
	corev1.SecretInterface
	secret *v1.Secret
}

func (s *oneSecret) Get(context.Context, string, metav1.GetOptions) (*v1.Secret, error) {
	if s.secret == nil {
		return nil, errors.New("nothing stored")
	}
	return s.secret, nil
}

func (s *oneSecret) Create(_ context.Context, secret *v1.Secret, _ metav1.CreateOptions) (*v1.Secret, error) {
	s.secret = secret
	return secret, nil
}

// record reads a stored record with Helm's Secret driver and stores it again with the same.
func record(r *request) (any, error) {
	cluster := &oneSecret{secret: &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Labels: r.Files},
		Data:       map[string][]byte{"release": []byte(r.Text)},
	}}
	store := storage.Init(driver.NewSecrets(cluster))
	releaser, err := store.Get("any", 1)
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(releaser)
	if err != nil {
		return nil, err
	}
	rel, ok := releaser.(*release.Release)
	if !ok {
		return nil, fmt.Errorf("unexpected %T", releaser)
	}
	if err := store.Create(rel); err != nil {
		return nil, err
	}
	delete(cluster.secret.Labels, "createdAt")
	return map[string]any{
		"json":    string(encoded),
		"payload": string(cluster.secret.Data["release"]),
		"name":    cluster.secret.Name,
		"type":    string(cluster.secret.Type),
		"labels":  cluster.secret.Labels,
	}, nil
}

// installRecord gives the record of a release as installing would store it.
func installRecord(r *request) (any, error) {
	c, values, err := prepare(r)
	if err != nil {
		return nil, err
	}
	rel, err := dryRun(r, c, values)
	if err != nil {
		return nil, err
	}
	encoded, err := json.Marshal(rel)
	return string(encoded), err
}
