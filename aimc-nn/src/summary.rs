//! What a network costs before it exists: tiles and how full they are, products per sample, digital operations.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut};
use serde::Serialize;

use aimc_device::RngKey;
use aimc_device::error::ConfigError;
use aimc_tile::grid::equal_parts;
use aimc_tile::{MappingConfig, MatVec, ReadOut, SampleKeys, Shape, TileError};

use crate::layer::Record;
use crate::module::Part;
use crate::network::NetworkConfig;

/// One matrix of a layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatrixSummary {
    /// Name of the tile.
    pub name: String,
    /// Outputs and inputs, the column of an analog bias included.
    pub shape: (usize, usize),
    /// Rows and columns of the grid of crossbars.
    pub grid: (usize, usize),
    /// Share of the crossings of these crossbars that hold a weight; crossbars without a limit are as large as needed.
    pub utilisation: f64,
    /// Products of the matrix per sample.
    pub products: u64,
}

impl MatrixSummary {
    /// A matrix of `shape` (outputs, inputs) that is laid out as `mapping` says.
    #[must_use]
    pub fn new(name: String, shape: (usize, usize), products: u64, mapping: &MappingConfig) -> Self {
        let (outputs, inputs) = shape;
        let rows = equal_parts(outputs, mapping.max_output_size).len();
        let columns = equal_parts(inputs, mapping.max_input_size).len();
        let side = |size: usize, most: usize, parts: usize| if most == 0 { size } else { most * parts };
        let crossings =
            side(outputs, mapping.max_output_size, rows) * side(inputs, mapping.max_input_size, columns);
        let utilisation = (outputs * inputs) as f64 / crossings as f64;
        Self { name, shape, grid: (rows, columns), utilisation, products }
    }

    /// Digital sums of the partial products of crossbars beside one another, per sample.
    #[must_use]
    pub fn partial_sums(&self) -> u64 {
        self.products * (self.shape.0 * (self.grid.1 - 1)) as u64
    }

    /// Number of weights.
    #[must_use]
    pub fn weights(&self) -> u64 {
        (self.shape.0 * self.shape.1) as u64
    }

    /// Number of crossbars.
    #[must_use]
    pub fn crossbars(&self) -> u64 {
        (self.grid.0 * self.grid.1) as u64
    }
}

/// One layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerSummary {
    /// Name of the layer.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Shape of its output.
    pub output: Vec<usize>,
    /// Its matrices on tiles.
    pub matrices: Vec<MatrixSummary>,
    /// Numbers in digital memory that are trained.
    pub digital_parameters: u64,
    /// Digital operations per sample: those of the layer ([`Record::operations`]), biases, and sums of partial products.
    pub digital_operations: u64,
}

/// A network, layer by layer.
///
/// ```
/// use aimc_nn::{Activation, NetworkConfig};
/// use aimc_tile::MappingConfig;
/// let summary = NetworkConfig::mlp(&[784, 256, 10], Activation::Sigmoid).summary(&MappingConfig::default())?;
/// // 784 inputs need two crossbars of 512 lines, which then are 392·256 of 512·512 full.
/// let first = &summary.layers[0].matrices[0];
/// assert_eq!((first.grid, first.products), ((1, 2), 1));
/// assert_eq!(first.utilisation, 784.0 * 256.0 / (2.0 * 512.0 * 512.0));
/// assert_eq!(summary.weights(), 784 * 256 + 256 * 10);
/// assert!(summary.to_string().starts_with("layer"));
/// # Ok::<(), aimc_device::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Layers from input to output.
    pub layers: Vec<LayerSummary>,
}

impl Summary {
    /// All matrices.
    pub fn matrices(&self) -> impl Iterator<Item = &MatrixSummary> {
        self.layers.iter().flat_map(|layer| &layer.matrices)
    }

    /// Weights on tiles.
    #[must_use]
    pub fn weights(&self) -> u64 {
        self.matrices().map(MatrixSummary::weights).sum()
    }

    /// Crossbars.
    #[must_use]
    pub fn crossbars(&self) -> u64 {
        self.matrices().map(MatrixSummary::crossbars).sum()
    }

    /// Products of single crossbars per sample.
    #[must_use]
    pub fn crossbar_products(&self) -> u64 {
        self.matrices().map(|matrix| matrix.products * matrix.crossbars()).sum()
    }

    /// Multiplications and additions per sample that the crossbars do: two per weight and product.
    #[must_use]
    pub fn analog_operations(&self) -> u64 {
        self.matrices().map(|matrix| 2 * matrix.products * matrix.weights()).sum()
    }

    /// Digital operations per sample.
    #[must_use]
    pub fn digital_operations(&self) -> u64 {
        self.layers.iter().map(|layer| layer.digital_operations).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<28} {:<15} {:>14} {:>11} {:>7} {:>6} {:>9} {:>11}",
            "layer", "kind", "output", "matrix", "grid", "full", "products", "digital ops"
        )?;
        for layer in &self.layers {
            let output = layer.output.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
            let blank = [("", "", "")];
            let head = [(layer.name.as_str(), layer.kind.as_str(), output.as_str())];
            let rows = layer.matrices.len().max(1);
            for (row, (name, kind, output)) in
                head.into_iter().chain(blank.into_iter().cycle()).take(rows).enumerate()
            {
                let operations = if row == 0 { layer.digital_operations.to_string() } else { String::new() };
                let [matrix, grid, full, products] = match layer.matrices.get(row) {
                    None => Default::default(),
                    Some(m) => [
                        format!("{}x{}", m.shape.0, m.shape.1),
                        format!("{}x{}", m.grid.0, m.grid.1),
                        format!("{:.0} %", 100.0 * m.utilisation),
                        m.products.to_string(),
                    ],
                };
                let name = layer.matrices.get(row).map_or(name, |matrix| matrix.name.as_str());
                writeln!(
                    f,
                    "{name:<28} {kind:<15} {output:>14} {matrix:>11} {grid:>7} {full:>6} {products:>9} {operations:>11}"
                )?;
            }
        }
        write!(
            f,
            "{} weights on {} crossbars; per sample {} products of crossbars ({} operations) and {} digital operations",
            self.weights(),
            self.crossbars(),
            self.crossbar_products(),
            self.analog_operations(),
            self.digital_operations()
        )
    }
}

impl NetworkConfig {
    /// Shapes, tiles and costs, for matrices that are put onto tiles as `mapping` says; no weight is stored for it.
    pub fn summary(&self, mapping: &MappingConfig) -> Result<Summary, ConfigError> {
        let shapes = self.shapes()?;
        let network = self.build(RngKey::root(0), |place| {
            let analog_bias = place.bias && !mapping.digital_bias;
            Ok(Probe { shape: place.shape, analog_bias, products: AtomicU64::new(0) })
        })?;
        let sample = DMatrix::zeros(shapes[0].iter().product(), 1);
        network
            .forward(sample.as_view(), SampleKeys::new(RngKey::root(0)))
            .map_err(|error| ConfigError::new(format!("layers[{}]", error.layer), "", error.to_string()))?;
        let layers = self.layers.iter().zip(&network.layers).enumerate().map(|(i, (record, layer))| {
            let (mut matrices, mut digital_parameters) = (Vec::new(), 0);
            let mut digital_operations = record.operations(&shapes[i]);
            let name = format!("layer{i}");
            layer.module().visit(&name, &mut |part_name, part| match part {
                Part::Tile(probe) => {
                    let matrix = probe.summary(part_name.clone(), mapping);
                    digital_operations += matrix.partial_sums();
                    matrices.push(matrix);
                }
                Part::Parameters(values) => {
                    digital_parameters += values.len() as u64;
                    // The bias of the matrix just before: one sum for each of its products.
                    let of_matrix = |matrix: &&MatrixSummary| {
                        matrix.name.strip_suffix("tile") == part_name.strip_suffix("bias")
                    };
                    if let Some(matrix) = matrices.last().filter(of_matrix) {
                        digital_operations += matrix.products * values.len() as u64;
                    }
                }
                Part::Statistics(_) => {}
            });
            let output = shapes[i + 1].clone();
            LayerSummary {
                name,
                kind: record.kind().to_owned(),
                output,
                matrices,
                digital_parameters,
                digital_operations,
            }
        });
        Ok(Summary { layers: layers.collect() })
    }
}

/// Counts products instead of doing them.
#[derive(Debug)]
struct Probe {
    shape: Shape,
    analog_bias: bool,
    products: AtomicU64,
}

impl Probe {
    fn summary(&self, name: String, mapping: &MappingConfig) -> MatrixSummary {
        let inputs = self.shape.inputs + usize::from(self.analog_bias);
        let products = self.products.load(Ordering::Relaxed);
        MatrixSummary::new(name, (self.shape.outputs, inputs), products, mapping)
    }
}

impl MatVec for Probe {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn forward(
        &self,
        x: DMatrixView<f32>,
        mut y: DMatrixViewMut<f32>,
        _draws: SampleKeys,
    ) -> Result<(), TileError> {
        self.products.fetch_add(x.ncols() as u64, Ordering::Relaxed);
        y.fill(0.0);
        Ok(())
    }
}

impl ReadOut for Probe {
    fn weights(&self) -> DMatrix<f32> {
        DMatrix::zeros(self.shape.outputs, self.shape.inputs)
    }

    fn set_weights(&mut self, _weights: &DMatrix<f32>, _key: RngKey) -> Result<(), TileError> {
        Ok(())
    }

    fn bias(&self) -> Option<Vec<f32>> {
        self.analog_bias.then(|| vec![0.0; self.shape.outputs])
    }

    fn set_bias(&mut self, _bias: &[f32], _key: RngKey) -> Result<(), TileError> {
        Ok(())
    }
}
