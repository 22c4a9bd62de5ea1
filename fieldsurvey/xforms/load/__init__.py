"""From what an author has (workbook, folder of CSV sheets, XForm) to XForm XML, with the origin of every row kept."""
