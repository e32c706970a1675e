//! A request of a batch, with its name.

use crate::error::Result;
use crate::openai::ChatRequest;

/// A request with a name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchRequest {
    /// The caller's name for the request; may be empty. A journal knows a request by its name and
    /// content; one without a name by its content alone, and by how many equal ones precede it.
    pub custom_id: String,
    /// The request, or the reason why there is none, which becomes the row's error.
    pub request: Result<ChatRequest>,
}

impl BatchRequest {
    /// A request with a name, which may be empty.
    ///
    /// ```
    /// use evenhand::ChatRequest;
    /// use evenhand::batch::BatchRequest;
    ///
    /// let nurse = BatchRequest::new("nurse", ChatRequest::from("Describe a nurse.").top_p(0.9));
    /// assert_eq!(nurse.custom_id, "nurse");
    /// ```
    pub fn new(custom_id: impl Into<String>, request: impl Into<ChatRequest>) -> Self {
        Self {
            custom_id: custom_id.into(),
            request: Ok(request.into()),
        }
    }
}

/// A request and its name before it.
impl<S: Into<String>, R: Into<ChatRequest>> From<(S, R)> for BatchRequest {
    fn from((custom_id, request): (S, R)) -> Self {
        Self::new(custom_id, request)
    }
}

/// A request without a name.
impl From<ChatRequest> for BatchRequest {
    fn from(request: ChatRequest) -> Self {
        Self::new("", request)
    }
}
