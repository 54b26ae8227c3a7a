//! gRPC and HTTP client and server of towline.artifact.v1.
