"""JSON Schemas of the documents: as functions here, and as files beside this module."""

from routilux.schemas.documents import flow_schema, job_schema, transfer_schema

__all__ = ["flow_schema", "job_schema", "transfer_schema"]
