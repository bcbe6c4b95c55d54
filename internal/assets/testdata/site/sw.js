self.addEventListener("install", e => caches.open("v1").then(c => c.addAll(["/", "/css/print.css"])))
