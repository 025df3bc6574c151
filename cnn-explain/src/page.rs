//! The page's file: the built front end with a network's data in its place.

use std::io::{self, Write};

use base64::prelude::{BASE64_STANDARD, Engine};
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::ExplainError;
use crate::store::Explained;

/// The built front end. Its data stands where [`MARK`] does.
pub(crate) const TEMPLATE: &str = include_str!("../page/dist/page.html");
const MARK: &str = "%CNN_DATA%";

/// The whole page as HTML: a file that stands alone.
///
/// # Errors
/// [`ExplainError::Internal`] if the data cannot be written as JSON, which they always can.
pub fn fill(explained: &Explained) -> Result<String, ExplainError> {
    let packed = pack(explained)?;
    let internal = || ExplainError::Internal("the page has no place for data".into());
    let (before, after) = TEMPLATE.split_once(MARK).ok_or_else(internal)?;
    let mut page = String::with_capacity(TEMPLATE.len() + packed.len() * 4 / 3 + 4);
    page.push_str(before);
    // Base64 has no character that means something in HTML.
    BASE64_STANDARD.encode_string(packed, &mut page);
    page.push_str(after);
    Ok(page)
}

/// The data as the page reads them: compressed (zlib); the length of the JSON in four bytes, the JSON, and the numbers from
/// the next multiple of four on.
///
/// # Errors
/// [`ExplainError::Internal`] if the data cannot be written as JSON, which they always can.
pub fn pack(explained: &Explained) -> Result<Vec<u8>, ExplainError> {
    let internal = |problem: &dyn std::fmt::Display| ExplainError::Internal(problem.to_string());
    let json = serde_json::to_vec(&explained.data).map_err(|error| internal(&error))?;
    let length = u32::try_from(json.len()).map_err(|error| internal(&error))?;
    let compress = || -> io::Result<Vec<u8>> {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&length.to_le_bytes())?;
        packed.write_all(&json)?;
        packed.write_all(&[0; 3][..json.len().next_multiple_of(4) - json.len()])?;
        packed.write_all(&explained.numbers)?;
        packed.finish()
    };
    compress().map_err(|error| internal(&error))
}
