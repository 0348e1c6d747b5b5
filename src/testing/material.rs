//! Key pairs that are published with this source. They protect nothing: whoever trusts one of them trusts everybody.

/// A key pair, in base64: the private key in the DER that both crypto providers read (PKCS #1 for RSA, PKCS #8 for the
/// others), the public key as a DER `SubjectPublicKeyInfo`.
pub(super) struct KeyPair {
    pub(super) private: &'static str,
    pub(super) public: &'static str,
}

pub(super) static RSA: [KeyPair; 2] = [
    KeyPair {
        private: "\
            MIIEowIBAAKCAQEA6arJX5rEbZarg7O0UEWgnUAEKYLmPNRisXz/WAkMFVB9PwCuRAf37XC3EnBUA43AcQ+uRWKO\
            vngKMAAoHiTkJpeH5T81tD5JIdtgv756/TACuiOdJfI3UdLv0ppeNGnWM7SeJpfXPxX4sgzsuQ0M4zAivdn1vJyl\
            uwqSTR0MCXHe0hQqcyUZ2Xw9xw/DfJuxC3PjEknwWpVhmutmDZLyUBDqx4ErFppban04mFVTzmnbkJYzppBRu68a\
            3Pl29nJ4/6vsvoaWPCGLE88wfnLliQ544ubwY9jrse6DV69WQ1s4Cq52a1TEoLH5kJ4Ut5KgflBJe9CeL18PxwSy\
            cgXCKQIDAQABAoIBAA/J4LPzTPD7tIigYJ9o6P6fF/jnFaAIGMgV4loEOHsLNn9GkD/cCvpR+qjGCsM3tYheLyAU\
            lgEUMtoF9K/+vaTG6eGJWRtd9wqQ3HNwTzai4xhJNkHdYTQH7Pj9wb5IZXcWbfY9HcfvN9/uBCPH2DZUpxBNdS+C\
            pScjgnmv7AOKO13vtzsT7zZCK1VlshxnXPOQZvojg7gyD9ksldxVSpp2Va7DJPs0hdODhcPUkhthwoyASfEMu6+B\
            65l0EySmd/ZLwNxhYYeKunXXgWeTmWejro04zUMUcU+HR5ebk6m04TP9gw7ODX1TrJCEqrk7oQY6gu/i9HbpwTGR\
            cskhjRUCgYEA+GoNou04GBKt2MFVkc2UWlUt4ZY+TZhe7f4XAWJuyZDO4bKIlwVXDNIIXzbk30GPAVHSoBQmx8DO\
            o90O0a/STYw44nvWcH6VyHgTczSjEeGJZaHvl+/um41t5SYI/+MZiQhYRkqFXQhcHx90+tTlU8JV6Iaca1sKcCLu\
            UvdcX/UCgYEA8M1zEtvWW3kdlwKh/ELLT4w10QIJXEZ7TTLAPoSo0uXob19L7WEOSvc+6P99FyyfT8JV/+sc0zoD\
            rgc76EelNQv0s0bSbzF8F+dlH/OwLTB0K0Pk4/E49NFhQ12Pxo4+E2A81dL2NR5uoaV68m97ugiW659gM3kUB0qP\
            NKa8vOUCgYB8PE3llc3f/DeFl+s7qBzxsHfpwkIWfIW9cL4Aq0HM/Ob6aVd2b+1BNCmLtOBx50+l0U4NUQa0D/FI\
            cl3e8Je0wNQSMOzmBejTAXp4u3JyluEoOvygeBZVJT44w/TsRJ+YsNu1C7/27x9jUVAnwiGO6jocuHWyGy31NwMJ\
            6zv/oQKBgQDmmzo6s0GDdGe7+I98b9MYqSPYt2STdAQdGB83QAAViIuiLNcfy7TOYh1jMVlwWhFvZqLJZTXDq2le\
            vhrHBeXW+U4sagSY7AD1O2qCwPLVM/PsgyaujJKJEgNdajqIYixcjet0soWKtUwpjbpCdjU9IYC2wXh1ktx1Zxfh\
            ylQxaQKBgFLiOd4biqR6NLxiePUZ3R8j5N1qeL4c4ReF/riPb/s/73gE9tx0IBz8wXY1UhnuDXrOdnvHwpdeqAU5\
            z9f1PuLWHiDxtL9K+kfjFNfx6/lQFKtMgsvxazPNVJ0k2g0uGfif5MkWE1+VM91QlIhKyHCAmYtzNP5Zp7RbtwM7\
            rWTi",
        public: "\
            MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA6arJX5rEbZarg7O0UEWgnUAEKYLmPNRisXz/WAkMFVB9\
            PwCuRAf37XC3EnBUA43AcQ+uRWKOvngKMAAoHiTkJpeH5T81tD5JIdtgv756/TACuiOdJfI3UdLv0ppeNGnWM7Se\
            JpfXPxX4sgzsuQ0M4zAivdn1vJyluwqSTR0MCXHe0hQqcyUZ2Xw9xw/DfJuxC3PjEknwWpVhmutmDZLyUBDqx4Er\
            Fppban04mFVTzmnbkJYzppBRu68a3Pl29nJ4/6vsvoaWPCGLE88wfnLliQ544ubwY9jrse6DV69WQ1s4Cq52a1TE\
            oLH5kJ4Ut5KgflBJe9CeL18PxwSycgXCKQIDAQAB",
    },
    KeyPair {
        private: "\
            MIIEogIBAAKCAQEAnIh42v62/Tx8UAiwduqs0dmVR17rfw4MVcDp8QC3ElU2VjHRLDQXrZcS0JyaIpGYiUxUR2Zu\
            MhFjAHKF0giG3qd7sim1F2bVCjCyNr+uncm+VHUzQFwxTmnO1Pn66A5MNY0Ku4ybaItkVikSwygV75H9/C+YUHGA\
            zyeZSykc9djLiZnzVjhprLMlUP7LGjp7xF4m10o3PwCqWEpVM/9lEo1pvw/95ebaMFkj2+wcx3maY01huOAKH9RG\
            UVJ01hgRJ2b3e5Y5N7OJjORNnqpr1sEeC2MF2uzZaCFzHcij5FB73ShTYjWbkhmsxJB2IFhG/gn+Qk6vyjVQ2XHw\
            kjE70QIDAQABAoIBABluzQrGlu8R8aAZVqlDm5JkWAOmxvw3npvHl9sPWC9o2/Fo77OkanJ1w4Sp5RtCbQu7H029\
            3/VPljZ/j6xJXrcfdD1wLFsMhgcSqWoJfogRkX9BzvLL5+ZLJ7llPQs7g3ix8rFNTlTP98dOA3KPo/IZq4WFgCnA\
            f1gTzC2GP7fWjBJdjOwabUBbQ6TuJcR4bq+3FnEUNsCVHocUFNlP2G0OWyzm8bEXloSqs1RLvOCcKAZw12KF04Ke\
            tCvjNyoa718Wo3zAKNx5XUGzui6wL0fiZ44p5t2hh3rrwrKWZlCQ8wI10UeTvvHgWqdrBP0VpWn0yh7D++DHZoW+\
            hAc9L0cCgYEAyVmcnRGq5y9vz+8KYldn97V9ntur2T/a+bu8oqB7byZCCbGyk79f/1yMv2JYmZ4E4B3cYIfpJ8Km\
            aDEjukhA7driz8Axq77E+iQ+TqtxgzDzlJAEyg4bIpMzvivr7OS9QBjiAgtF+7khyCegGeDFe7mcE+Bb1+kB9wjV\
            N0Y4XZcCgYEAxwTZDBFBY6IL46w5evMiIVLFsmaEK3dGT9OxzERxEO+tcp9JgHnx2o2A1Ftm+6N3fkC5dWBD7t3w\
            /LJQj+mTvNAFIxg45fJWR05fCR0eP03m6A9wHKUvWprgyiEQ0c4/S0kpTLXIrzDzItOPvS+bQr+BhQyupkmRIVhx\
            X8RyrtcCgYARRDH99inlsVexSRpm3H/56gJfwQ63jpZEnCjM+V4cZfd7xVU+/kZJK7KWJuTaJ4bbgTQIwx7nXfXP\
            MYeSzedjfkW88wpPZAiYOsttC56sVWJN9xuyCAujp2PkhvewVN01xex7qGPT9khDVcKQ9Yl51qzft3moxj545LUE\
            DG2A+QKBgDSBWOnQG5o3hD96jmebgWOdPL8GQNRe0VP6G6wyWkoHkZDt6SxV/7KTJmvf+VlmFP5gAQ2wafu43f0s\
            5ggxrWJg1xodJ9Wyi4Sgbn4vCm3VFZgfiopkIgwbVDa/ZnqTmSs5kAXG570gguSrP/6/coy3jWoWoHUKb5mGhdKo\
            N0FdAoGAZWBtRhPOMQTtfmJN2nuAgH/7AfY1lKsBU76QetZ4PuLfmFQQ7EkG9VyEccYWuBxSpVdT3LGkarr4Uo6l\
            5d8GirDK9SDEMaLouDquVBD2eZHpMCtebYISTfI/hgFzKewKtmU5YLv7m5sLpSUFSSGyH969NR1nPxL5Aei7RFzS\
            Z6Y=",
        public: "\
            MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnIh42v62/Tx8UAiwduqs0dmVR17rfw4MVcDp8QC3ElU2\
            VjHRLDQXrZcS0JyaIpGYiUxUR2ZuMhFjAHKF0giG3qd7sim1F2bVCjCyNr+uncm+VHUzQFwxTmnO1Pn66A5MNY0K\
            u4ybaItkVikSwygV75H9/C+YUHGAzyeZSykc9djLiZnzVjhprLMlUP7LGjp7xF4m10o3PwCqWEpVM/9lEo1pvw/9\
            5ebaMFkj2+wcx3maY01huOAKH9RGUVJ01hgRJ2b3e5Y5N7OJjORNnqpr1sEeC2MF2uzZaCFzHcij5FB73ShTYjWb\
            khmsxJB2IFhG/gn+Qk6vyjVQ2XHwkjE70QIDAQAB",
    },
];

pub(super) static P256: [KeyPair; 2] = [
    KeyPair {
        private: "\
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHUME2Cn/HrnlBiw09BpfN75eUiz1Ffp43QpUrJ8F\
            T2ShRANCAAQTssDf8Rh3algWvLZqBwV7zTGFcy79NgBV1KqG36DT0GBXEtMQluVdn6/sVZXA9UlmMs62EPTs/nnd\
            7HwATSax",
        public: "\
            MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEE7LA3/EYd2pYFry2agcFe80xhXMu/TYAVdSqht+g09BgVxLTEJbl\
            XZ+v7FWVwPVJZjLOthD07P553ex8AE0msQ==",
    },
    KeyPair {
        private: "\
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgo/vZJgnLwvPUb8XOSw9buDXCpqfaA9xFTkYkFkb/\
            UwKhRANCAAQxWziHe9Mgnc/2yaQr0iCGkqyTqXLRDyhGuK9hdA+iK3SxFZJwz96tbhBdcxC5IgcNNsBPhWdXJGnJ\
            tIew9EUC",
        public: "\
            MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEMVs4h3vTIJ3P9smkK9IghpKsk6ly0Q8oRrivYXQPoit0sRWScM/e\
            rW4QXXMQuSIHDTbAT4VnVyRpybSHsPRFAg==",
    },
];

pub(super) static P384: [KeyPair; 2] = [
    KeyPair {
        private: "\
            MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBBSe1ygleP7g00mhJfn51f6DbVF5SQ/LdMysExxREp\
            yXe2thMdz5KZsFjAtZNB4xOhZANiAATl6wC5CbhOBKOvO0q18ieNOAqpo6zAoLqUELOf/GihbEh23K1+GLR9Luuu\
            aZiuG7j7LSSnywt4ZdWvQbX2Gird1lIjnpCG3/lhBhjDDggWDfQ3hQqVOPCovz0nPzPXDLA=",
        public: "\
            MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE5esAuQm4TgSjrztKtfInjTgKqaOswKC6lBCzn/xooWxIdtytfhi0fS7r\
            rmmYrhu4+y0kp8sLeGXVr0G19hoq3dZSI56Qht/5YQYYww4IFg30N4UKlTjwqL89Jz8z1wyw",
    },
    KeyPair {
        private: "\
            MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDBU7XBgGvHY6kNP5gyDolWy3kow2KGskVpYtDYCHfq+\
            v5IJZL9g3LMVXpRB+1I+MrShZANiAARFwhrDQU0vXnSmFGhCaYfav2iuoeLrCzxWVLQ0eUyzDAIdJkK/f3DRB9nZ\
            ATO7NJJs3Pxcbc7N8hYMWJH2qQMdYSmLoUHq6x3nHrZhyO8ByeZnOfiY8iStjpdA2e5ai1k=",
        public: "\
            MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAERcIaw0FNL150phRoQmmH2r9orqHi6ws8VlS0NHlMswwCHSZCv39w0QfZ\
            2QEzuzSSbNz8XG3OzfIWDFiR9qkDHWEpi6FB6usd5x62YcjvAcnmZzn4mPIkrY6XQNnuWotZ",
    },
];

pub(super) static ED25519: [KeyPair; 2] = [
    KeyPair {
        private: "MC4CAQAwBQYDK2VwBCIEIBlr/S1n1o4y/bNIfGYQ8mxGkUznJeRyBo1ceAn8GsjA",
        public: "MCowBQYDK2VwAyEAwvlu/e1EY+u4RcyarWjoyDfH0pEI1AstSh38RQXj3tY=",
    },
    KeyPair {
        private: "MC4CAQAwBQYDK2VwBCIEID9d3IXKfkbebJ8bMIv0pAKNtomn5U7oLbj1IIo8uODb",
        public: "MCowBQYDK2VwAyEA+GtHRBkohnVwlPw5VPugcnHOqYfRvAtGeFGJ9mp4//s=",
    },
];
