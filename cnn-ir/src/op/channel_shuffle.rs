//! Interleaved groups of channels.

use super::Fault;
use super::attributes::Attributes;
use super::fault::map;
use super::operator::Operator;
use crate::shape::Shape;

/// Channel `g · C/groups + i` becomes channel `i · groups + g` (Zhang et al., ShuffleNet, 2017).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelShuffle {
    /// Number of groups.
    pub groups: usize,
}

impl Default for ChannelShuffle {
    fn default() -> Self {
        ChannelShuffle { groups: 1 }
    }
}

impl Operator for ChannelShuffle {
    fn name(&self) -> &'static str {
        "channel_shuffle"
    }

    fn doc(&self) -> &'static str {
        "channel `g·C/groups + i` becomes channel `i·groups + g` (ShuffleNet)"
    }

    fn attributes(&mut self, a: &mut Attributes<'_, '_>) {
        a.count("groups", &mut self.groups, None);
    }

    fn moves_elements(&self) -> bool {
        true
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, Vec<Fault>> {
        let (channels, _, _) = map("channel_shuffle", operands[0])?;
        if self.groups > 0 && channels.is_multiple_of(self.groups) {
            return Ok(operands[0]);
        }
        let groups = self.groups;
        let message = format!("`groups` {groups} does not divide the {channels} channels of the input");
        Err(Fault::new("groups", message)
            .note(format!("{channels}/{groups} is not whole"))
            .into())
    }

    fn formula(&self, operands: &[Shape]) -> String {
        let channels = operands.first().map_or(0, Shape::channels);
        match channels.checked_div(self.groups) {
            Some(each) if each > 0 => format!("{channels}/{} = {each} channels a group", self.groups),
            _ => String::new(),
        }
    }

    fn does_nothing(&self, x: Shape) -> Option<&'static str> {
        (self.groups == 1 || self.groups == x.channels()).then_some("there is nothing to interleave")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Op;
    use super::super::testing::{fault, int, read};
    use super::*;

    const MAP: Shape = Shape::map(12, 4, 5);

    fn op(groups: i64) -> Op {
        read("channel_shuffle", &[("groups", int(groups))]).expect("an operator")
    }

    #[test]
    fn shuffled_groups_divide_the_channels() {
        let shuffle = op(3);
        assert_eq!(shuffle.shape(&[MAP]), Ok(MAP));
        assert_eq!(shuffle.formula(&[MAP]), "12/3 = 4 channels a group");
        let fault = fault(&op(2), &[Shape::map(3, 8, 8)]);
        assert_eq!(
            (fault.key, fault.message.as_str()),
            (Some("groups"), "`groups` 2 does not divide the 3 channels of the input")
        );
    }
}
