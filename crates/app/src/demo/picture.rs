//! The clock that is burned into the demo's picture: readable by eye, and by a program as a bar code.
//!
//! The upper 80 rows are a bar code of two rows with 32 blocks each, white for 1, first bit first: 32 bits of milliseconds
//! since 1970 (modulo 2^32), 16 bits of frame number, and CRC-16/CCITT-FALSE of those six bytes. The rows below show the
//! wall clock in UTC.

/// Width of the picture, in pixels.
pub const WIDTH: usize = 1_280;
/// Rows of the bar code: a ninth of a picture of 720 rows.
const CODE_ROWS: usize = 80;
/// Rows of the clock below it.
const CLOCK_ROWS: usize = 64;
/// Rows of both.
pub const HEIGHT: usize = CODE_ROWS + CLOCK_ROWS;

const BLACK: u8 = 16;
const WHITE: u8 = 235;
const BLOCKS: usize = 32;
/// Pixels of a dot of the clock's characters.
const DOT: usize = 6;

/// One frame of luma, `WIDTH` by `HEIGHT`, for the wall-clock time `millis` since 1970.
pub fn draw(millis: u64, frame: u64) -> Vec<u8> {
    let mut luma = vec![BLACK; WIDTH * HEIGHT];
    draw_code(&mut luma, code(millis, frame));
    draw_text(&mut luma, &clock(millis));
    luma
}

/// The 64 bits of the bar code.
fn code(millis: u64, frame: u64) -> u64 {
    let stamp = (millis & 0xFFFF_FFFF) << 16 | frame & 0xFFFF;
    let crc = stamp.to_be_bytes()[2..]
        .iter()
        .fold(0xFFFF, |crc, &byte| crc16(crc, byte));
    stamp << 16 | u64::from(crc)
}

fn crc16(crc: u16, byte: u8) -> u16 {
    (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
        if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
    })
}

fn draw_code(luma: &mut [u8], code: u64) {
    for bit in (0..64).filter(|bit| code >> (63 - bit) & 1 == 1) {
        let (row, block) = (bit / BLOCKS, bit % BLOCKS);
        let (width, height) = (WIDTH / BLOCKS, CODE_ROWS / 2);
        fill(luma, block * width, row * height, width, height);
    }
}

/// Hours, minutes, seconds and milliseconds of the day in UTC.
fn clock(millis: u64) -> String {
    let seconds = millis / 1_000;
    let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, millis % 1_000)
}

fn draw_text(luma: &mut [u8], text: &str) {
    let mut x = 4 * DOT;
    for character in text.chars() {
        let (columns, rows) = glyph(character);
        for (y, row) in rows.into_iter().enumerate() {
            for column in (0..columns).filter(|column| row >> (columns - 1 - column) & 1 == 1) {
                fill(luma, x + column * DOT, CODE_ROWS + (y + 2) * DOT, DOT, DOT);
            }
        }
        x += (columns + 1) * DOT;
    }
}

fn fill(luma: &mut [u8], x: usize, y: usize, width: usize, height: usize) {
    for row in luma.chunks_exact_mut(WIDTH).skip(y).take(height) {
        row[x..x + width].fill(WHITE);
    }
}

/// Columns and the seven rows of a character, a bit for each dot.
fn glyph(character: char) -> (usize, [u8; 7]) {
    match character {
        '0' => (5, [0b01110, 0b10001, 0b10011, 0b10101, 0b11001, 0b10001, 0b01110]),
        '1' => (5, [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110]),
        '2' => (5, [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111]),
        '3' => (5, [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110]),
        '4' => (5, [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010]),
        '5' => (5, [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110]),
        '6' => (5, [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110]),
        '7' => (5, [0b11111, 0b00001, 0b00010, 0b00100, 0b01000, 0b01000, 0b01000]),
        '8' => (5, [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110]),
        '9' => (5, [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100]),
        ':' => (1, [0, 0, 1, 0, 1, 0, 0]),
        _ => (1, [0, 0, 0, 0, 0, 0, 1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_code_can_be_read_back() {
        let millis = 1_795_255_200_123;
        let luma = draw(millis, 70_000);
        let bit = |n: usize| luma[(n / 32 * 40 + 20) * WIDTH + n % 32 * 40 + 20] > 128;
        let code = (0..64).fold(0u64, |code, n| code << 1 | u64::from(bit(n)));
        assert_eq!(code >> 32, millis & 0xFFFF_FFFF);
        assert_eq!(code >> 16 & 0xFFFF, 70_000 & 0xFFFF);
        let crc = (code >> 16).to_be_bytes()[2..]
            .iter()
            .fold(0xFFFF, |crc, &byte| crc16(crc, byte));
        assert_eq!(code & 0xFFFF, u64::from(crc));
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(b"123456789".iter().fold(0xFFFF, |crc, &byte| crc16(crc, byte)), 0x29B1);
    }

    #[test]
    fn the_clock_is_utc() {
        assert_eq!(clock(86_400_000 + 3_723_004), "01:02:03.004");
    }
}
