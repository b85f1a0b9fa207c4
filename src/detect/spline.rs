//! The smooth surface through a mesh: natural cubic splines along y, then along x (a bicubic spline).

/// Values at the nodes of a regular mesh and the surface through them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Surface {
    columns: usize,
    rows: usize,
    /// Row-major.
    nodes: Vec<f64>,
    /// Second derivatives along y at the nodes, per node spacing.
    curvature: Vec<f64>,
}

impl Surface {
    /// Through `nodes`, row-major, of `columns` columns.
    pub(super) fn new(columns: usize, nodes: Vec<f64>) -> Self {
        let rows = nodes.len() / columns;
        let mut curvature = vec![0.0; nodes.len()];
        for column in 0..columns {
            let along: Vec<f64> = (0..rows).map(|row| nodes[row * columns + column]).collect();
            for (row, value) in second_derivatives(&along).into_iter().enumerate() {
                curvature[row * columns + column] = value;
            }
        }
        Surface { columns, rows, nodes, curvature }
    }

    /// The values at the nodes.
    pub(super) fn nodes(&self) -> &[f64] {
        &self.nodes
    }

    /// Nodes along x.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The curve that the surface is at height `y`, both counted in nodes from the first.
    pub(super) fn row(&self, y: f64) -> Curve {
        let (low, part) = interval(y, self.rows);
        let values: Vec<f64> = (0..self.columns)
            .map(|column| {
                let at = |row: usize| (row * self.columns + column).min(self.nodes.len() - 1);
                let (lower, upper) = (at(low), at(low + 1));
                if self.rows == 1 {
                    return self.nodes[lower];
                }
                cubic(
                    part,
                    [self.nodes[lower], self.nodes[upper]],
                    [self.curvature[lower], self.curvature[upper]],
                )
            })
            .collect();
        Curve { curvature: second_derivatives(&values), values }
    }
}

/// A natural cubic spline through values at 0, 1, 2, …
pub(super) struct Curve {
    values: Vec<f64>,
    curvature: Vec<f64>,
}

impl Curve {
    /// At `x`; beyond the ends the last interval's cubic goes on.
    pub(super) fn at(&self, x: f64) -> f64 {
        let (low, part) = interval(x, self.values.len());
        match self.values[low..] {
            [only] => only,
            [left, right, ..] => cubic(part, [left, right], [self.curvature[low], self.curvature[low + 1]]),
            [] => f64::NAN,
        }
    }
}

/// The interval of `nodes` nodes in which a position lies, the first and the last going on for ever, and where in it.
fn interval(position: f64, nodes: usize) -> (usize, f64) {
    let low = (position.max(0.0) as usize).min(nodes.saturating_sub(2));
    (low, position - low as f64)
}

/// The cubic of these values and second derivatives at 0 and 1.
fn cubic(t: f64, values: [f64; 2], curvature: [f64; 2]) -> f64 {
    let s = 1.0 - t;
    let bend = |t: f64| (t * t * t - t) / 6.0;
    s * values[0] + t * values[1] + bend(s) * curvature[0] + bend(t) * curvature[1]
}

/// Second derivatives m at the nodes of a natural cubic spline, spacing 1: m₍ᵢ₋₁₎ + 4mᵢ + m₍ᵢ₊₁₎ is six times the second
/// difference of the values, and m zero at both ends; by elimination.
fn second_derivatives(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let mut result = vec![0.0; n];
    if n < 3 {
        return result;
    }
    let mut factors = vec![0.0; n];
    for i in 1..n - 1 {
        let pivot = 4.0 - factors[i - 1];
        factors[i] = 1.0 / pivot;
        let bend = 6.0 * (values[i - 1] - 2.0 * values[i] + values[i + 1]);
        result[i] = (bend - result[i - 1]) / pivot;
    }
    for i in (1..n - 1).rev() {
        result[i] -= factors[i] * result[i + 1];
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_kept_within_and_beyond_the_nodes() {
        let plane = |x: f64, y: f64| 2.0 + 0.5 * x - 3.0 * y;
        let nodes = (0..4).flat_map(|y| (0..5).map(move |x| plane(x.into(), y.into()))).collect();
        let surface = Surface::new(5, nodes);
        for (x, y) in [(0.0, 0.0), (2.3, 1.7), (-0.5, 3.5), (4.5, -0.5)] {
            assert!((surface.row(y).at(x) - plane(x, y)).abs() < 1e-12);
        }
    }

    #[test]
    fn a_spline_passes_its_nodes_with_scipys_values_between() {
        // scipy.interpolate.CubicSpline([0, 1, 2, 3], [1, 3, 0, 2], bc_type="natural")([0.5, 1.5, 2.25])
        let curve = Surface::new(4, vec![1.0, 3.0, 0.0, 2.0]).row(0.0);
        for (x, expected) in
            [(0.0, 1.0), (1.0, 3.0), (3.0, 2.0), (0.5, 2.625), (1.5, 1.5), (2.25, -0.046_875)]
        {
            assert!((curve.at(x) - expected).abs() < 1e-12, "{x}: {}", curve.at(x));
        }
    }

    #[test]
    fn one_node_is_a_constant() {
        let surface = Surface::new(1, vec![7.0]);
        assert_eq!(surface.row(-0.4).at(0.9), 7.0);
        assert!((Surface::new(1, vec![1.0, 3.0]).row(0.25).at(5.0) - 1.5).abs() < 1e-12);
    }
}
